"""The search area: dragged, resized, drawn anew, by mouse and by keys."""

from playwright.sync_api import expect

from tests.browser.search_page import corner, is_search


def close_to(box, other, pixels=4.0):
    return all(abs(a - b) <= pixels for a, b in zip(box, other, strict=True))


def test_a_dragged_corner_changes_the_results_before_it_is_let_go(page, look):
    page.search(look)
    page.page.evaluate("window.untouched = true")
    mouse = page.page.mouse
    start = corner(page.box, 1, 1)

    with page.page.expect_response(is_search) as live:
        mouse.move(*start)
        mouse.down()
        mouse.move(start[0] - 30, start[1] - 60, steps=5)
    assert live.value.ok
    answer = page.answer_to(mouse.up)

    page.wait_for_box(answer)
    assert page.shown_products() == [result["product"]["id"] for result in answer["results"]]
    assert page.page.evaluate("window.untouched")


def test_the_box_can_be_moved(page, look):
    first = page.search(look)
    x, y = corner(page.box, 0.25, 0.8)

    answer = page.answer_to(lambda: page.drag((x, y), (x + 25, y - 20)))

    old, new = first["selected"]["box"], answer["selected"]["box"]
    assert new != old
    assert abs((new[2] - new[0]) - (old[2] - old[0])) < 1
    assert abs((new[3] - new[1]) - (old[3] - old[1])) < 1


def test_a_drag_on_the_photo_draws_a_new_box(page, look):
    answer = page.search(look)
    photo = page.page.locator("#stage-picture")
    # From a corner of the photo, where no product's box is.
    answer = page.answer_to(lambda: page.drag(corner(photo, 0.08, 0.08), corner(photo, 0.3, 0.25)))

    width, height = answer["image"]["width"], answer["image"]["height"]
    assert close_to(answer["selected"]["box"], [0.08 * width, 0.08 * height, 0.3 * width, 0.25 * height], 8)


def test_drawing_over_the_box_works_once_asked_for(page, look):
    page.search(look)
    page.page.get_by_role("button", name="Draw a box").click()

    start, end = corner(page.box, 0.2, 0.3), corner(page.box, 0.8, 0.7)
    answer = page.answer_to(lambda: page.drag(start, end))

    left, top, right, bottom = page.shown_box(answer["image"])
    assert close_to(answer["selected"]["box"], [left, top, right, bottom])
    expect(page.page.get_by_role("button", name="Draw a box")).to_have_attribute("aria-pressed", "false")


def test_the_box_never_leaves_the_photo(page, look):
    page.search(look)
    start = corner(page.box, 0.25, 0.8)

    answer = page.answer_to(lambda: page.drag(start, (start[0] + 2000, start[1] + 2000)))

    box = page.shown_box(answer["image"])
    assert box[2] <= answer["image"]["width"] + 2
    assert box[3] <= answer["image"]["height"] + 2


def test_the_whole_photo_can_be_searched(page, look):
    page.search(look)

    answer = page.answer_to(lambda: page.page.get_by_role("button", name="Whole photo").click())

    image = answer["image"]
    assert answer["selected"]["box"] == [0, 0, image["width"], image["height"]]
    expect(page.page.get_by_role("button", name="Whole photo")).to_have_attribute("aria-pressed", "true")


def test_a_chosen_category_stays_while_the_box_changes(page, look):
    page.search(look)
    page.answer_to(lambda: page.page.get_by_role("button", name="Everything").click())
    start = corner(page.box, 1, 1)

    answer = page.answer_to(lambda: page.drag(start, (start[0] - 20, start[1] - 20)))

    assert answer["selected"]["category_applied"] is False
    assert page.active_category() == "all"


def test_arrow_keys_move_the_box_and_shift_resizes_it(page, look):
    first = page.search(look)["selected"]["box"]
    area = page.page.get_by_role("button", name="Search area")
    area.focus()

    moved = page.answer_to(lambda: page.page.keyboard.press("ArrowLeft"))["selected"]["box"]
    assert moved[0] < first[0]
    assert abs((moved[2] - moved[0]) - (first[2] - first[0])) < 1

    resized = page.answer_to(lambda: page.page.keyboard.press("Shift+ArrowUp"))["selected"]["box"]
    assert resized[3] < moved[3]
    assert abs(resized[1] - moved[1]) < 1
    expect(area).to_be_focused()


def test_one_drag_is_one_step_back(page, look):
    first = page.search(look)
    start = corner(page.box, 1, 1)
    with page.page.expect_response(is_search):
        page.page.mouse.move(*start)
        page.page.mouse.down()
        page.page.mouse.move(start[0] - 20, start[1] - 20, steps=4)
    page.answer_to(page.page.mouse.up)

    page.page.go_back()

    page.wait_for(first)
    page.wait_for_box(first)
