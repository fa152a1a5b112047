// The eight ways a picture can be turned, as the fingerprints count them (embeddings/fingerprint.py), undone.

/** By `turn`: the affine map of the unit square that takes a point of the turned picture back to where it was. */
export const TURNS_BACK = [
  [1, 0, 0, 1, 0, 0], // as it is
  [-1, 0, 0, 1, 1, 0], // mirrored
  [1, 0, 0, -1, 0, 1], // upside down and mirrored
  [-1, 0, 0, -1, 1, 1], // half a turn
  [0, 1, 1, 0, 0, 0], // about the main diagonal
  [0, 1, -1, 0, 1, 0], // a quarter turn to the left
  [0, -1, 1, 0, 0, 1], // a quarter turn to the right
  [0, -1, -1, 0, 1, 1], // about the other diagonal
];
