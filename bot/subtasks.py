"""How HiDream's sub-tasks and a task's images belong together. Pure."""

from collections.abc import Sequence

from bot.hidream.wire import SubTask
from storage.tasks import Image

_STAND_IN = "#"
"""In no id of HiDream's: marks the id that we made up for an image that it did not name."""


def expected(task_id: str, named: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Give an id for each image asked for: HiDream's own, and stand-ins where it named fewer."""
    return named + tuple(f"{task_id}{_STAND_IN}{n}" for n in range(len(named), count))


def match(images: Sequence[Image], sub_tasks: Sequence[SubTask]) -> list[tuple[Image, SubTask]]:
    """Pair images with what HiDream says of them: by sub-task id, else by their order.

    The order serves only where HiDream never named the sub-task, at submission or now.
    """
    by_id = {one.sub_task_id: one for one in sub_tasks if one.sub_task_id}
    pairs = [
        (image, by_id.pop(image.sub_task_id)) for image in images if image.sub_task_id in by_id
    ]
    paired = {image.n for image, _ in pairs}
    left = [image for image in images if image.n not in paired]
    unnamed = [one for one in sub_tasks if one.sub_task_id is None or one.sub_task_id in by_id]
    if len(left) == len(images) or all(_STAND_IN in image.sub_task_id for image in left):
        pairs += zip(left, unnamed, strict=False)
    return pairs


def completion_of(images: Sequence[Image], pairs: Sequence[tuple[Image, SubTask]]) -> float | None:
    """Give HiDream's own progress over all images, 0 to 1; None while it says nothing of it."""
    if not any(one.status.final or one.completion is not None for _, one in pairs):
        return None
    total = sum(1.0 if one.status.final else one.completion or 0.0 for _, one in pairs)
    return round(min(1.0, total / len(images)), 2)
