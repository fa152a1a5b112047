// Boxes are [x1, y1, x2, y2] in pixels of the upright image; an image is {width, height}. Nothing here touches the page.

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

export const whole = (image) => [0, 0, image.width, image.height];

/** Returns the box between two corners, inside the image and at least `min` pixels wide and high. */
export function between([ax, ay], [bx, by], image, min) {
  const [x1, x2] = span(ax, bx, image.width, min);
  const [y1, y2] = span(ay, by, image.height, min);
  return [x1, y1, x2, y2];
}

function span(from, to, size, min) {
  const low = clamp(Math.min(from, to), 0, size - min);
  const high = clamp(Math.max(from, to), low + min, size);
  return [low, Math.min(high, size)];
}

/** Returns the box shifted by (dx, dy), stopped by the image's edges. */
export function moved([x1, y1, x2, y2], dx, dy, image) {
  const left = clamp(x1 + dx, 0, image.width - (x2 - x1));
  const top = clamp(y1 + dy, 0, image.height - (y2 - y1));
  return [left, top, left + (x2 - x1), top + (y2 - y1)];
}

/** Returns the box with the edges named by `handle` ("n", "se", ...) dragged by (dx, dy). */
export function resized([x1, y1, x2, y2], handle, dx, dy, image, min) {
  return [
    handle.includes("w") ? clamp(x1 + dx, 0, x2 - min) : x1,
    handle.includes("n") ? clamp(y1 + dy, 0, y2 - min) : y1,
    handle.includes("e") ? clamp(x2 + dx, x1 + min, image.width) : x2,
    handle.includes("s") ? clamp(y2 + dy, y1 + min, image.height) : y2,
  ];
}

export const area = ([x1, y1, x2, y2]) => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);

export const holds = ([x1, y1, x2, y2], [x, y]) => x >= x1 && x <= x2 && y >= y1 && y <= y2;

export const center = ([x1, y1, x2, y2]) => [(x1 + x2) / 2, (y1 + y2) / 2];

/** Says whether the box is, to the eye, the whole image. */
export const isWhole = (box, image) => area(box) >= 0.98 * image.width * image.height;

/** Returns the smallest of the regions that holds the point, or null. */
export function regionAt(regions, point) {
  const under = regions.filter((region) => holds(region.box, point));
  return under.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
}

/** Returns points pushed apart until they are `gap` from one another, as far as a few rounds allow. */
export function spread(points, gap, width, height) {
  const out = points.map(([x, y]) => [x, y]);
  for (let round = 0; round < 12; round += 1) {
    let isCrowded = false;
    for (let i = 0; i < out.length; i += 1) {
      for (let j = i + 1; j < out.length; j += 1) isCrowded = part(out[i], out[j], gap) || isCrowded;
    }
    for (const point of out) {
      point[0] = clamp(point[0], gap / 2, width - gap / 2);
      point[1] = clamp(point[1], gap / 2, height - gap / 2);
    }
    if (!isCrowded) break;
  }
  return out;
}

function part(a, b, gap) {
  let dx = b[0] - a[0];
  let dy = b[1] - a[1];
  const distance = Math.hypot(dx, dy);
  if (distance >= gap) return false;
  if (distance < 0.01) [dx, dy] = [0, 1];
  const push = (gap - distance) / 2 / Math.max(distance, 1);
  a[0] -= dx * push;
  a[1] -= dy * push;
  b[0] += dx * push;
  b[1] += dy * push;
  return true;
}
