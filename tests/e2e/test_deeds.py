"""The people of these tests can do what Telegram's apps can, before any bot listens."""

from pathlib import Path

from tests.e2e.world import opened


async def test_people_do_what_apps_can(tmp_path: Path) -> None:
    """Files of each kind, forwards, edits, channels and groups are shown as a person sees them."""
    async with opened(tmp_path) as world:
        ada, bo = await world.person("Ada"), await world.person("Bo")
        still, moving = await ada.sticker(), await ada.sticker(form="video")
        assert [s["sticker"]["is_video"] for s in (still, moving)] == [False, True]
        assert "video" in await ada.medium("video", "look")
        first = await ada.photo("snow", album=True, spoiler=True)
        second = await ada.photo(media_group_id=first["media_group_id"])
        assert (first["spoiler"], second["spoiler"]) == (True, False)
        assert (await ada.edit(first, "rain"))["caption"] == "rain"
        news = await world.channel(ada, bo)
        assert (await ada.forward(first, chat=news))["sender_chat"]["id"] == news
        group = await world.group(ada, bo, admins=[bo.id])
        await world.becomes(group, "member", bo)
        await world.becomes(group, "administrator")
        supergroup = await world.upgrade(group)
        anonymous = await ada.text("hello", chat=supergroup, as_chat=supergroup)
        assert anonymous["from"]["username"] == "GroupAnonymousBot"
        forum = await world.group(ada, topics=True)
        topic = await world.topic(forum, "Pictures")
        assert (await ada.text("hello", chat=forum, thread_id=topic))["thread_id"] == topic
        assert await ada.press_blindly(first, "again:1", inaccessible=True)
        await world.later(3600)
        assert (await world.menus(), await world.profile()) == (
            {},
            {"description": {}, "short_description": {}},
        )
