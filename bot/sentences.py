"""Every sentence that the bot says, in English: Telegram HTML, with places for its data.

Data are escaped when they are put in (see `texts`), so that whatever a user wrote is shown as it was
written. Pure: a table.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence whose form depends on the number `count` in its data."""

    one: str
    other: str


SENTENCES: Final[Mapping[str, str | Plural]] = {
    # --- start and help
    "start": (
        "Hello! Send me a photo, and with it a few words that say what to make of it, such as "
        "<i>make it snow</i>. I have HiDream make the picture and bring it here.\n\n"
        "/help shows what else can be said, /status how your pictures are coming along."
    ),
    "start-group": (
        "Hello! Reply to a photo with /edit and a few words that say what to make of it, such as "
        "/edit <i>make it snow</i>. I have HiDream make the picture and bring it here.\n\n"
        "/help shows what else can be said, /status how your pictures are coming along."
    ),
    "help": (
        "<b>Send a photo with a caption</b> that says what to make of it: <i>make it snow</i>. "
        "A photo alone is fine too: I ask for the words then. For full quality send it as a file.\n"
    ),
    "help-replies": (
        "<b>Reply to a photo</b>, or to one of my pictures, with a few words, and I make the next one "
        "of that: so you can go on step by step. Several photos sent together become one picture.\n"
    ),
    "help-group": (
        "<b>In a group</b> I hear only what is meant for me: begin with /edit, such as "
        "/edit <i>make it snow</i> in reply to a photo, or reply to one of my messages.\n"
    ),
    "help-options": "<b>The caption can also say</b>",
    "help-option": "<code>{example}</code> — {about}\nAlso: {also}",
    "help-commands": "\n<b>Commands</b>",
    "help-command": "{command} — {about}",
    "ratio-about": (
        "the shape of the picture: {values}. If you leave it out, it is the one nearest to your photo's."
    ),
    "count-about": "how many pictures to make: {values}.",
    "negative-about": "what must not be in the picture, up to the end of the line.",
    "command-start": "what this bot does",
    "command-help": "how to say what you want",
    "command-edit": "what to make of a photo: in reply to it, or as its caption",
    "command-status": "how your pictures are coming along; /status 17 for one of them",
    "command-history": "turn over your pictures; /history snow finds those with that word",
    "command-cancel": "stop a picture that is not done yet; /cancel 17 for one of several",
    "command-settings": "what holds for all your pictures: shape, number, language and more",
    "command-privacy": "what I keep of you, and what HiDream gets",
    "command-mydata": "everything I keep of you, as a file",
    "command-forget": "forget everything of yours",
    # --- the bot's page in Telegram
    "bot-description": (
        "Send me a photo and a few words, such as “make it snow”, and I have HiDream make a new "
        "picture of it.\n\nPress Start, then send your first photo."
    ),
    "bot-short-description": "Turns your photo and a few words into new pictures, with HiDream.",
    # --- what came
    "ask-words": (
        "Nice photo! What shall I make of it? Reply to this with a few words, such as "
        "<i>make it snow</i>, or tap an idea."
    ),
    "ask-words-album": Plural(
        one="{count} photo! What shall I make of it? Reply to this with a few words, such as <i>make it snow</i>, or tap an idea.",
        other="{count} photos! What shall I make of them, in one picture? Reply to this with a few words, such as <i>all together at the beach</i>, or tap an idea.",
    ),
    "ask-words-two": (
        "Your earlier photo waits too: to say what to make of that one, reply to what I asked about it."
    ),
    "idea-snow": "make it snow",
    "idea-painting": "as an oil painting",
    "idea-night": "at night",
    "words-kept": (
        "I keep these words for your next photo: send it within 15 minutes. "
        "If the photo is already here, reply to it with these words."
    ),
    "words-kept-group": (
        "I keep these words for your next photo: send it within 15 minutes, as a reply to this. "
        "If the photo is already here, reply to it with /edit and these words."
    ),
    "button-drop": "✖️ Forget these words",
    "try-words": "Please send it again, put right; the photo can come after it.",
    "edit-alone": (
        "Reply to a photo with /edit and a few words that say what to make of it, such as "
        "/edit <i>make it snow</i>; or send a photo with that as its caption."
    ),
    "forgotten": "I no longer have that photo. Please send it again, with your words.",
    "ask-other-words": (
        "What shall I make of that photo instead? Reply to this with the new words. "
        "The rest stays as it was: {settings}."
    ),
    "not-a-photo": (
        "I can only work on photos. Send one as a photo or as a file (JPEG, PNG, WebP or HEIC), "
        "with a few words that say what to make of it."
    ),
    "not-an-image-file": (
        "“{name}” is not an image. Send a photo, or an image file: JPEG, PNG, WebP or HEIC."
    ),
    "unknown-command": "I don't know {command}. /help shows everything I understand.",
    "is-a-video": (
        "That is a video, and I can only work on still pictures. Send a photo, or a screenshot of it."
    ),
    "sticker-animated": (
        "That sticker moves, and I can only work on still pictures. Send one that does not, or a photo."
    ),
    # --- small talk: lists of what is no order, whole messages, without marks
    "talk-polite": (
        "hi, hello, hey, good morning, good afternoon, good evening, good night, how are you, hi there, bye, see you, sorry, thanks, thank you, "
        "thanks a lot, thank you so much, thx, ok thanks, no thanks, yes please, welcome, please, ok, okay, yes, no, great, good job, nice, cool, "
        "wow, wow nice, so nice, very nice, good, perfect, amazing, awesome, beautiful, love it, "
        "i love it, lol, haha, hahaha, 👍, 👎, 👌, 👏, 🙏, ❤, 😍, 🥰, 😊, 🙂, 😀, 😄, 😂, 🤣"
    ),
    "talk-stop": "stop, stop it, please stop, cancel, cancel it, cancel please, please cancel, cancel that, abort, never mind, nevermind, forget it",
    "talk-answer": (
        "😊 Whenever you like: send me a photo with a few words that say what to make of it, "
        "such as <i>make it snow</i>."
    ),
    # --- edits
    "edited-text": "I have answered that message already. Please send this as a new one.",
    "edited": (
        "I saw your edit, but I no longer have that photo. "
        "To have a picture made with the new words, send it again."
    ),
    "edited-changed": "Got it: I'll use the new words.",
    "edited-late": (
        "It was too late to change that one. Shall I make it again, with the new words?"
    ),
    "edited-wrong": "Your picture stays as it was. Edit the words once more, and I look again.",
    "button-new-words": "🔁 Make it again",
    # --- albums
    "offer-album": (
        "Those are {count} photos, and I can put {most} into one picture at most. "
        "Shall I take the first ones, or make one picture of each?"
    ),
    "button-first": "Take the first ones",
    "button-each": "One picture of each",
    "album-left-out": "I left out number {number}. {why}",
    "album-rest": Plural(
        one="I go on with the other one.",
        other="I go on with the other {count}.",
    ),
    "album-late": (
        "This photo came long after the others of its album, so it is not among them. "
        "I take it as one of its own."
    ),
    # --- offers
    "offer-variants": Plural(
        one="With these words I make {count} picture:",
        other="With these words I make {count} pictures:",
    ),
    "offer-variant": "• <i>{prompt}</i>",
    "button-go": "▶️ Go ahead",
    # --- links
    "link-http": (
        "I can only take links that begin with https. If there is one, send that; "
        "or send the picture itself."
    ),
    "link-private": (
        "HiDream can't reach {host}: it is not on the public internet. Send the picture itself."
    ),
    "link-unknown": "I can't find {host}. Is the link complete? Or send the picture itself.",
    "link-odd": "I can't use that link. Send another one, or the picture itself.",
    # --- captions
    "option-unknown": "I don't know “{word}”. Did you mean {meant}?",
    "ratio-wrong": "{option} can't be “{value}”. It can be: {allowed}.",
    "ratio-missing": ("{option} needs a shape after it, such as {example}. It can be: {allowed}."),
    "count-wrong": "{option} can't be “{value}”. It can be: {allowed}.",
    "count-missing": ("{option} needs a number after it, such as {example}. It can be: {allowed}."),
    "negative-missing": (
        "{option} needs words after it that say what must not be in the picture, such as {example}."
    ),
    "variants-too-many": (
        "Your braces make this many pictures: {count}. The most at one time is {most}. "
        "Leave some of them out."
    ),
    "nothing-started": "Nothing has been started yet.",
    "try-caption": "Your photo is still here: reply to this with the whole caption, put right.",
    # --- images
    "file-too-large": (
        "That file is larger than the 20 MB that Telegram lets a bot fetch. "
        "Send a smaller one, or send it as a photo."
    ),
    "file-over-limit": (
        "That file is larger than the {megabytes} MB that I take. "
        "Send a smaller one, or send it as a photo."
    ),
    "image-unknown": (
        "That file is not an image I can read, so nothing has been started. "
        "I can read {allowed}; or send it as a photo."
    ),
    "image-broken": (
        "That image file is broken or incomplete, so nothing has been started. "
        "Send it again, or send the picture as a photo."
    ),
    "image-too-large": (
        "That image has {megapixels} megapixels, and I can take up to {allowed}; nothing has been "
        "started. Send a smaller one, or send it as a photo."
    ),
    "image-animated": (
        "That is an animation, and I can only work on still pictures. Send a photo."
    ),
    # --- access
    "not-allowed": (
        "This bot is private. If you know who runs it, ask them to let you in: your id is "
        "<code>{user}</code>."
    ),
    "not-allowed-group": (
        "This bot is private. If you know who runs it, ask them to let you in (your id is "
        "<code>{user}</code>) or this group (its id is <code>{chat}</code>)."
    ),
    "too-many-unfinished": Plural(
        one="I'm still busy with {count} picture for you, and take no more at one time. Your photo is kept: tap when that one is done.",
        other="I'm still busy with {count} pictures for you, and take no more at one time. Your photo is kept: tap when some of them are done.",
    ),
    "too-many-at-once": (
        "That would be more pictures than the {allowed} I take from you at one time, so I have started "
        "none. Ask for fewer, or tap when others of yours are done."
    ),
    # --- progress
    "progress-next": "⏳ In line: you are next.",
    "progress-place": "⏳ In line: number {place}.",
    "progress-place-wait": "⏳ In line: number {place}. Your turn should come in about {span}.",
    "progress-far": "⏳ In line: more than {place} are before you.",
    "progress-paused": (
        "⏸ HiDream takes no new pictures right now. Yours keeps its place, "
        "and it goes on by itself."
    ),
    "progress-retry": "⏳ That did not go through yet. I'm trying again by myself.",
    "progress-submitting": "📤 Handing it to HiDream …",
    "progress-uncertain": "🔎 HiDream has not answered. I'm finding out whether it has your photo.",
    "progress-running": "🎨 HiDream is at it.",
    "progress-running-usual": "🎨 HiDream is at it. That usually takes {span}.",
    "progress-running-longer": "🎨 HiDream is at it. It takes longer than usual.",
    "progress-percent": "🎨 HiDream is at it: {percent}",
    "progress-percent-usual": "🎨 HiDream is at it: {percent}. That usually takes {span}.",
    "progress-percent-longer": "🎨 HiDream is at it: {percent}. It takes longer than usual.",
    "progress-fetching": "📥 Done at HiDream, bringing it here …",
    "progress-stopping": "✋ Stopping …",
    "progress-over": "✔️ This one is over and done.",
    "progress-cancelled": "✖️ Stopped. It cost nothing.",
    "progress-stopped": "✖️ Stopped for you. HiDream had begun, so it may still count there.",
    "button-cancel": "✖️ Stop it",
    # --- results
    "result": "<code>{caption}</code>\n#{task} · {time}",
    "result-cut": "<i>{caption}</i>\n#{task} · {time} · all of the words: /status {task}",
    "result-late": "Late, but here it is.\n<code>{caption}</code>\n#{task}",
    "result-late-cut": (
        "Late, but here it is.\n<i>{caption}</i>\n#{task} · all of the words: /status {task}"
    ),
    "result-from": "↳ made from #{parent}",
    "result-next": "#{task}: what next?",
    "settings": "{ratio} · {count}",
    "settings-negative": "{ratio} · {count} · without: {negative}",
    "pictures": Plural(one="{count} picture", other="{count} pictures"),
    "ratio-auto": "shape of the photo",
    "partly": Plural(
        one="{count} of {asked} pictures came out.",
        other="{count} of {asked} pictures came out.",
    ),
    "missing-refused": Plural(
        one="{count} did not pass HiDream's review.", other="{count} did not pass HiDream's review."
    ),
    "missing-empty": Plural(
        one="For {count} the model made nothing of these words.",
        other="For {count} the model made nothing of these words.",
    ),
    "missing-failed": Plural(one="{count} failed at HiDream.", other="{count} failed at HiDream."),
    "missing-expired": Plural(
        one="{count} was not done in time; if it comes within a day, I bring it.",
        other="{count} were not done in time; what comes within a day, I bring.",
    ),
    "missing-unfetched": Plural(
        one="{count} was made but could not be fetched.",
        other="{count} were made but could not be fetched.",
    ),
    # --- why there is no picture
    "photo-gone": "Telegram no longer has that photo. Please send it again, with your words.",
    "one-of-several": "I can't use photo number {number} of those you sent, so I have made nothing of them. {why}",
    "photo-unreachable": (
        "For two days I could not fetch your photo from Telegram, and I have given up. "
        "Nothing was spent. Please send it again."
    ),
    "content-refused": (
        "HiDream does not make this: it refused the words or the photo. Nothing was spent. "
        "Other words, or another photo, may work."
    ),
    "hidream-refused": (
        "HiDream did not take this one, and gave no reason that I understand. "
        "Nothing was spent. Other words, or another photo, may work."
    ),
    "hidream-unreachable": (
        "HiDream could not be reached for two days, and I have given up on this one. "
        "Nothing was spent. Trying again later may help."
    ),
    "submission-uncertain": (
        "I sent your photo to HiDream twice and got no answer. I can't tell whether it made the "
        "picture, so I have stopped here rather than spend more. Trying again starts it anew."
    ),
    "review-refused": (
        "HiDream made it, but the result did not pass its review, so there is no picture. "
        "Other words, or another photo, may work."
    ),
    "nothing-made": "HiDream's model made nothing of these words. Try saying it differently.",
    "took-too-long": (
        "HiDream was not done with this in time, so I have stopped waiting. If it still comes within "
        "a day, I bring it. Trying again may help."
    ),
    "result-unfetched": "HiDream made it, but I could not fetch it from there. Trying again may help.",
    "hidream-failed": "HiDream failed on this one and said no more than that. Trying again may help.",
    "pictures-lost": (
        "Your picture was made, but it is no longer on the disk of this bot, and I can't send it. "
        "I'm sorry. Please send the photo again."
    ),
    "telegram-refused": (
        "Your picture was made, but Telegram does not take it, neither as a photo nor as a file. "
        "I'm sorry. Sending the photo again may help."
    ),
    "button-again": "🔁 Try again",
    "button-words": "✏️ Other words",
    "button-repeat": "🔁 Again",
    "button-ratio": "🖼 Shape …",
    "button-count": "×{count}",
    "button-use": "➡️ Use as new photo",
    "button-file": "📄 Original file",
    "button-delete": "🗑 Delete",
    # --- what leads on from a result
    "button-shape": "{ratio}",
    "button-shape-now": "✓ {ratio}",
    "button-number": "{number}",
    "button-back": "‹ Back",
    "button-delete-yes": "🗑 Yes, delete it",
    "button-delete-no": "No, keep it",
    "made-again": "🔁 I'm making it again, as #{task}.",
    "ask-use": (
        "What shall I make of the picture in #{task}? Reply to this with a few words, such as "
        "<i>make it snow</i>."
    ),
    "ask-use-one": (
        "What shall I make of picture {number} of #{task}? Reply to this with a few words, such as "
        "<i>make it snow</i>."
    ),
    "original": "#{task}, as HiDream made it.",
    "file-refused": (
        "Telegram does not take the original file, so I can't send it. "
        "The picture is in the chat as a photo."
    ),
    "pressed-use": "Write what to make of it.",
    "pressed-file": "Here it comes.",
    "pressed-file-over": Plural(
        one="I keep original files for {count} day, and this one is past that. Make it again to get a new one; the photo in the chat stays.",
        other="I keep original files for {count} days, and this one is past that. Make it again to get a new one; the photo in the chat stays.",
    ),
    "pressed-file-never": (
        "This bot keeps no original files. To get results as files from now on, use /settings."
    ),
    "pressed-which": "Which one? Tap its number.",
    "pressed-no-picture": (
        "I no longer have that picture. If you still see it, reply to it with your words, or send it to me."
    ),
    "pressed-delete": "Delete this result, with its files? Tap Yes or No.",
    "pressed-kept": "It stays.",
    "pressed-deleting": "Deleting …",
    "pressed-unfinished": "This one is still on its way. Tap again when it is all here.",
    "pressed-forgotten": "I have forgotten this one. Please send the photo again, with your words.",
    "pressed-forgotten-delete": (
        "I have forgotten this one, so I can't tell whose it is. Please delete the message yourself."
    ),
    "deleted": "🗑 Deleted.",
    "deleted-all": "🗑 #{task} is deleted from this chat, and so are my files of it.",
    "deleted-here": "🗑 I have deleted my files of #{task}, and what I could from this chat.",
    "deleted-replaced": Plural(
        one="{count} message is older than the 48 hours in which Telegram lets me delete, so I have emptied it.",
        other="{count} messages are older than the 48 hours in which Telegram lets me delete, so I have emptied them.",
    ),
    "deleted-left": Plural(
        one="{count} message I could not touch. Please delete it yourself.",
        other="{count} messages I could not touch. Please delete them yourself.",
    ),
    "deleted-stays": (
        "What stays: the photo you sent, which you can delete yourself; your words, in "
        "/status {task}; and whatever HiDream keeps."
    ),
    # --- buttons
    "pressed-again": "On its way again.",
    "pressed-too-many-at-once": (
        "That would be more pictures than the {allowed} I take from you at one time. "
        "Press again when others of yours are done, or ask for fewer."
    ),
    "pressed-go": Plural(
        one="{count} picture is on its way.", other="{count} pictures are on their way."
    ),
    "pressed-ask": "There is a question about it in the chat.",
    "pressed-dropped": "I have forgotten these words.",
    "pressed-already": "That one is already on its way.",
    "pressed-words": "Write the new words.",
    "pressed-not-yours": "Only the person who asked for this can press it.",
    "pressed-unknown": "I no longer know what this button is for. Please send the photo again.",
    "pressed-not-allowed": "You can't use this bot any more.",
    "pressed-too-many": "I'm still busy with as many of your photos as I take at one time. Press again when one is done.",
    # --- settings
    "preferences-own": (
        "⚙️ <b>Your settings</b>\nThey hold wherever a caption says nothing else. "
        "Tap what you want to change.\n"
    ),
    "preferences-chat": (
        "👥 <b>Settings for everybody here</b>\nThey hold for each person who has not chosen "
        "otherwise. Tap what you want to change.\n"
    ),
    "preference-line": "{name}: <b>{value}</b>",
    "preference-line-user": "{name}: <b>{value}</b> · yours",
    "preference-line-chat": "{name}: <b>{value}</b> · this group's",
    "preference-line-installation": "{name}: <b>{value}</b> · default",
    "preference-ratio": "Shape",
    "preference-count": "Pictures at a time",
    "preference-negative": "Keep out",
    "preference-language": "Language",
    "preference-file": "As files",
    "preference-silent": "Without a sound",
    "preference-ratio-about": "Which shape shall pictures have?",
    "preference-count-about": "How many pictures shall I make of a photo?",
    "preference-negative-about": "What must never be in a picture?",
    "preference-language-about": "Which language shall I speak?",
    "preference-language-chat": (
        "People whose own language Telegram tells me still get answers in that language."
    ),
    "preference-file-about": (
        "Shall results come as files? Files keep their full quality; Telegram makes photos smaller."
    ),
    "preference-silent-about": "Shall results arrive without a sound?",
    "preference-auto": "Like the photo",
    "preference-nothing": "Nothing",
    "preference-in-telegram": "As in Telegram",
    "preference-yes": "Yes",
    "preference-no": "No",
    "button-value": "{value}",
    "button-chosen": "✓ {value}",
    "button-default": "↩️ Back to default",
    "button-settings-words": "✏️ Write the words",
    "button-settings-back": "‹ All settings",
    "button-settings-chat": "👥 For this group",
    "button-settings-own": "👤 My own",
    "ask-negative": (
        "What must never be in your pictures? Reply to this with the words, such as "
        "<i>text, people</i>."
    ),
    "ask-negative-chat": (
        "What must never be in pictures that are made here? Reply to this with the words, such as "
        "<i>text, people</i>."
    ),
    "negative-words-wrong": (
        "I need only the words for what to keep out, such as <i>text, people</i>: up to {limit} "
        "characters, and no other options. Reply to my question once more."
    ),
    "settings-not-yours": (
        "These settings are someone else's. Send /settings to see yours, and to change them."
    ),
    "settings-admins": (
        "What holds for everybody here is for this group's admins to choose. "
        "Send /settings to choose for yourself."
    ),
    "pressed-saved": "Saved.",
    "pressed-settings-words": "Write the words.",
    "pressed-settings-unknown": "I no longer know what this button is for. Send /settings for new ones.",
    "pressed-not-now": "Telegram does not answer me just now. Please press again in a moment.",
    # --- status
    "status-none": "There is nothing of yours here yet. Send me a photo with a few words.",
    "status-none-group": (
        "There is nothing of yours here yet. Reply to a photo with /edit and a few words that say "
        "what to make of it."
    ),
    "status-unknown": "You have no number {task} here. /status shows the ones you have.",
    "status-number": "After /status I need one number from its list, such as /status 17, or nothing at all.",
    "status-line": "<b>#{task}</b> · {state} · {age}\n<i>{prompt}</i>\n{settings}\n",
    "status-others": Plural(one="… and {count} more.", other="… and {count} more."),
    "status-many": "… and more than {count} more.",
    "status-more": "Tap a number to see that one in full; /status {task} does the same.",
    "status-reply": (
        "That message is about none of your pictures. Reply to a picture, to what I said about it, "
        "or to your photo; or look up its number with /status."
    ),
    "status-full": "<b>#{task}</b> · {state}\n<code>{caption}</code>",
    "status-times": "Sent {age}.",
    "status-took": "Done in {time}.",
    "status-lineage": "↳ step by step: {steps}",
    "button-task": "#{task}",
    "button-newer": "◀",
    "button-older": "▶",
    "button-refresh": "🔄",
    "view-unknown": "I no longer know what this list showed. /status and /history make new ones.",
    # --- history
    "history-none": "You have no pictures here yet. Send me a photo with a few words.",
    "history-nothing-found": (
        "None of your pictures here was made with “{words}”. Try fewer or other words, "
        "or /history alone to see all of them."
    ),
    "history-picture": "<code>{caption}</code>\n#{task} · {age} · {n} of {count}",
    "history-picture-of": (
        "<code>{caption}</code>\n#{task} · {age} · {n} of {count} · picture {picture} of {pictures}"
    ),
    "history-lost": (
        "Telegram no longer has this picture of #{task} ({n} of {count}). ◀ and ▶ lead on to the others."
    ),
    "history-over": "The pictures that were here are gone. Send me a photo to make new ones.",
    # --- stopping
    "cancelled": "✖️ #{task} is stopped. It cost nothing.",
    "cancelled-running": (
        "✖️ #{task} is stopped for you. HiDream had begun, so it may still count there."
    ),
    "cancelling": (
        "✋ #{task} is being stopped. It was just on its way to HiDream, so it may still count there."
    ),
    "cancel-too-late": "#{task} can't be stopped any more: it is done, and on its way to you.",
    "cancel-over": "#{task} is finished already: there is nothing to stop.",
    "cancel-none": "There is nothing to stop: no picture of yours is being made here.",
    "cancel-waiting": "✖️ All right, I make nothing of what was waiting here. It cost nothing.",
    "cancel-number": (
        "After /cancel I need numbers from /status, such as /cancel 17, or nothing at all. "
        "Nothing has been stopped."
    ),
    "cancel-which": "Which one shall I stop?",
    "cancel-line": "<b>#{task}</b> · {state}\n<i>{prompt}</i>",
    "button-stop": "✖️ #{task}",
    "button-stop-all": "✖️ All of them",
    "status-hidream": "HiDream's id for it: <code>{id}</code>",
    "state-queued": "in line, number {place}",
    "state-far": "in line, more than {place} before it",
    "state-waiting": "in line, being tried again",
    "state-submitting": "on its way to HiDream",
    "state-uncertain": "no answer from HiDream yet",
    "state-running": "being made",
    "state-percent": "being made, {percent}",
    "state-fetching": "done, being fetched",
    "state-ready": "done, on its way to you",
    "state-delivered": "done",
    "state-failed": "no picture",
    "state-gone": "could not be brought to the chat",
    "state-cancelled": "cancelled",
    # --- privacy
    "privacy": (
        "<b>What I keep of you</b>\n"
        "• your words, the settings you chose, your Telegram id, and what became of your pictures\n"
        "• the ids under which Telegram has your photos, your pictures and our messages. "
        "I keep no copies of your photos: they only pass through, on their way to HiDream"
    ),
    "privacy-originals": Plural(
        one="• the files of finished pictures, for {count} day, so that you can have them in full quality",
        other="• the files of finished pictures, for {count} days, so that you can have them in full quality",
    ),
    "privacy-no-originals": "• the files of finished pictures, until they have been brought to you",
    "privacy-retention": Plural(
        one="What belongs to a picture I forget {count} day after it is finished; the settings you chose stay until you send /forget.",
        other="What belongs to a picture I forget {count} days after it is finished; the settings you chose stay until you send /forget.",
    ),
    "privacy-for-ever": "The words, settings and ids stay until you send /forget.",
    "privacy-hidream": (
        "\n<b>What HiDream gets</b>\n"
        "To make a picture: your photo, your words with their settings, and your Telegram id "
        "(<code>{user}</code>), which it asks for. What HiDream keeps of that, and for how long, is not in my hands."
    ),
    "privacy-operator": (
        "\n<b>Who can see it</b>\n"
        "Whoever runs this bot can read what I keep. Other people see only what I post in a chat "
        "that they are in, too."
    ),
    "privacy-commands": "\n/mydata sends you all of it as a file. /forget makes me forget it.",
    "privacy-group": (
        "I keep your words, your settings, and Telegram's ids of your photos and pictures, but no copies of "
        "your photos. HiDream gets the photo, the words and your Telegram id. "
        "For the rest, ask me in private: {link}\n\n/forget makes me forget what is yours; it works here, too."
    ),
    "mydata-file": (
        "Everything that I keep of you, as of {time} UTC. It opens in any browser or text editor."
    ),
    "mydata-part": "Part {number} of everything that I keep of you.",
    "mydata-heading": (
        "Everything that this bot keeps of you. Times are UTC. The ids of photos and pictures are "
        "Telegram's; only this bot can use them."
    ),
    "mydata-nothing": "I keep nothing of you.",
    "mydata-private": "That file is for you alone, so please ask me for it in private: {link}",
    "mydata-chat": (
        "Only a person gets that file, in private. What I keep in the name of this chat, "
        "/status shows here, and /forget makes me forget it."
    ),
    "mydata-soon": "That file has just been sent to you. In a minute you can ask for a new one.",
    "forget-ask": "<b>Shall I forget everything of yours?</b>",
    "forget-ask-chat": "<b>Shall I forget everything that was asked for in the name of this chat?</b>",
    "forget-what": (
        "• What waits in line is stopped, and costs nothing.\n"
        "• What HiDream is making is stopped for you; HiDream may still count it.\n"
        "• Words, settings, ids and files are deleted here, for this chat and all others. The buttons "
        "under earlier pictures no longer work then.\n"
        "• The pictures themselves stay in the chats. To have them gone, tap 🗑 under them before, or "
        "delete them in Telegram.\n"
        "• What HiDream has kept, I can't delete.\n\n"
        "This can't be undone. If you want to keep everything, just do nothing."
    ),
    "button-forget": "Yes, forget everything",
    "forget-nothing": "There is nothing to forget: I keep nothing of yours.",
    "forget-elsewhere": (
        "You are writing in the name of another chat. To have forgotten what was asked for in its name, "
        "send /forget there."
    ),
    "forget-tap-again": "That question is an old one. If you still want it, tap once more.",
    "forget-too-late": "I no longer know that question. Please send /forget once more.",
    "forget-over": "✔️ It is done: I keep nothing of yours any more.",
    "forget-done": "✔️ Done. Your words, settings, ids and files are deleted here.",
    "forget-done-chat": "✔️ Done. Words, settings, ids and files are deleted here.",
    "forget-cancelled": Plural(
        one="• {count} picture that waited in line was stopped; it cost nothing.",
        other="• {count} pictures that waited in line were stopped; they cost nothing.",
    ),
    "forget-stopped": Plural(
        one="• {count} picture may still be made at HiDream, which may count it; I won't fetch it. Until HiDream is through with it I keep the number it has there, without your name, to count how much is running.",
        other="• {count} pictures may still be made at HiDream, which may count them; I won't fetch them. Until HiDream is through with them I keep the numbers they have there, without your name, to count how much is running.",
    ),
    "forget-stays": (
        "• What stays: pictures and messages in the chats, until they are deleted there, and what HiDream "
        "itself has kept.\n\nIf you send me a photo again, we start anew."
    ),
    # --- how long
    "ago-now": "just now",
    "lasting": "{larger} {smaller}",
    # --- to the admins
    "admin-token": (
        "🔑 HiDream refuses this bot's token: it is wrong, or has expired. Nothing is lost; all "
        "pictures wait. Get a new one and put it into <code>hidream.token_file</code> (it is read "
        "again within seconds), or into <code>hidream.token</code> and start the bot again."
    ),
    "admin-token-over": "✅ HiDream takes the token again. Everything goes on by itself.",
    "admin-busy": (
        "🐢 For some minutes HiDream has refused new pictures as too many. Nothing is lost; they "
        "wait, and the bot tries again by itself. If that goes on, see whether somebody else uses "
        "the account, and whether <code>hidream.parallel_requests</code> and "
        "<code>hidream.images_per_minute</code> are those of its tier."
    ),
    "admin-busy-over": "✅ HiDream takes new pictures again.",
    "admin-unreachable": (
        "📡 For some minutes HiDream could not be reached, or answered with errors. Nothing is lost; "
        "all pictures wait, and the bot tries again by itself. If that goes on, look at this "
        "machine's network and at <code>hidream.base_url</code>."
    ),
    "admin-unreachable-over": "✅ HiDream can be reached again.",
    "admin-slots": (
        "🎚 HiDream takes {found} tasks at a time, and <code>hidream.parallel_requests</code> is "
        "{configured}. The bot keeps to what HiDream takes, and tries more now and then. If the "
        "account's tier is lower, set it lower."
    ),
    "admin-slots-over": "✅ HiDream takes as many at a time as are configured.",
    "command-stats": "for admins: how this bot has been doing; /stats 7 for a week",
    "stats-heading": "<b>{first} – {last}</b> (UTC)",
    "stats-day": "<b>{first}</b> (UTC)",
    "stats-none": "Nothing was asked for in these days.",
    "stats-tasks": "Tasks: <b>{tasks}</b> · pictures brought: <b>{pictures}</b>",
    "stats-whole": "• brought whole: {number} ({share})",
    "stats-partly": "• brought in part: {number} ({share})",
    "stats-content": "• words or photo not usable: {number} ({share})",
    "stats-hidream": "• failed at HiDream: {number} ({share})",
    "stats-telegram": "• not brought: {number} ({share})",
    "stats-cancelled": "• stopped: {number} ({share})",
    "stats-unfinished": "• not over yet: {number} ({share})",
    "stats-waiting": "Waiting in line: median {median}, 9 of 10 within {most}",
    "stats-making": "Making at HiDream: median {median}, 9 of 10 within {most}",
    "stats-slots": "Slots in use: mean {mean}, most {most}, configured {slots}",
    "stats-now": "Now: in line {line}, at HiDream {running}",
    "stats-ever": (
        "Since the beginning: submissions without an answer {unanswered}, "
        "messages perhaps shown twice {repeated}"
    ),
    "stats-no-picture": "The picture that belongs here could not be made; the log says why.",
    "stats-private": "Those figures are not for everybody, so please ask me for them in private: {link}",
    "stats-wrong": (
        "After /stats I need a number of days from 1 to {most}, such as /stats 7, or nothing at all. "
        "“{value}” is neither."
    ),
    "admin-health": (
        "🩺 For some minutes something has not been well here: <code>{causes}</code>. "
        "<code>hidream-bot health</code> on the bot's machine says what that means and what to do."
    ),
    "admin-health-over": "✅ The bot is well again.",
    "admin-token-week": (
        "🔑 HiDream's token expires on {date} UTC: within a week. A new one in "
        "<code>hidream.token_file</code> works without a restart; after a change of "
        "<code>hidream.token</code> the bot must be started again."
    ),
    "admin-token-day": (
        "🔑 HiDream's token expires on {date} UTC: within a day. Please put in a new one: "
        "in <code>hidream.token_file</code> it works without a restart; after a change of "
        "<code>hidream.token</code> the bot must be started again."
    ),
    # --- when something is broken here
    "sorry": (
        "Something went wrong on my side with your last message. It is noted as {reference}; "
        "please try again, and tell whoever runs this bot if it happens again."
    ),
}
