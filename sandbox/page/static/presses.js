// Presses of the bot's buttons.

import { get, post } from "./api.js";
import { alertOf, byId, copy, notice } from "./dom.js";
import { state } from "./state.js";

const ANSWER_LOOKS = 300;
const ANSWER_PAUSE = 100;

/** Press a button, and show what the bot answers. */
export async function press(message, button, element) {
  if (button.url) {
    open(button.url, "_blank", "noopener");
    return;
  }
  if (button.copy_text) {
    copy(button.copy_text.text);
    return;
  }
  if (button.switch_inline_query_current_chat !== undefined) {
    byId("text").value = button.switch_inline_query_current_chat;
    byId("text").focus();
    return;
  }
  element.setAttribute("aria-busy", "true");
  try {
    const pressed = await post(`person/chats/${state.chat}/press`, {
      user_id: state.user, message_id: message.message_id, data: button.callback_data,
    });
    const answer = await answerOf(pressed.callback_query_id);
    if (!answer) notice("The bot has not answered yet.");
    if (answer?.text) (answer.show_alert ? alertOf : notice)(answer.text);
  } catch (error) {
    notice(error.message);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

async function answerOf(id) {
  for (let i = 0; i < ANSWER_LOOKS; i += 1) {
    const seen = await get(`person/callbacks/${id}`);
    if (seen.answered) return seen;
    await new Promise((resolve) => setTimeout(resolve, ANSWER_PAUSE));
  }
  return null;
}
