"""What a button is about: its task, the picture that it is under, and its message's buttons."""

from bot import keyboards
from bot.handlers.desk import Desk, settled
from bot.handlers.press import Press
from bot.messages import Keyboard
from bot.texts import Say
from storage.tasks import Image, ImageState, Task


async def task_of(desk: Desk, press: Press, *, forgotten: str = "pressed-forgotten") -> Task | None:
    """Give the task that a button is for; whoever may not press it, or comes too late, is told so.

    Raises:
        PutOff: Telegram does not say now who may.
    """
    number = press.number()
    task = None if number is None else await desk.store.get(number)
    if task is None:
        await desk.notice(press, Say("pressed-unknown"))
        return None
    if task.pruned or not task.photos:
        # whose it was is forgotten too, and there is nothing to be had
        await desk.notice(press, Say(forgotten), alert=True)
        return None
    if not await desk.admits(press, task.user_id, task.place.chat_id):
        return None
    return task


def shown(images: list[Image]) -> list[Image]:
    """Give the images that a chat has been shown, in their order."""
    return [one for one in images if one.state is ImageState.STORED and one.file_id and one.sent_as]


async def put_back(desk: Desk, press: Press, task: Task) -> None:
    """Give a result its own buttons back, where others took their place."""
    sent = shown(await desk.store.images(task.id))
    as_file = bool(sent) and all(image.sent_as == "document" for image in sent)
    await put(desk, press, task, keyboards.result(task, as_file=as_file))


async def put(desk: Desk, press: Press, task: Task, buttons: Keyboard) -> None:
    """Put other buttons under the message that a button was pressed in.

    Raises:
        PutOff: it cannot be done now; the press is to be handled again.
    """
    outcome = await desk.chat.edit_buttons(
        press.chat_id, press.message_id, buttons, language=task.language
    )
    settled(outcome)  # what is gone by now needs no buttons
