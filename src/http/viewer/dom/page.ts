import { askForPresentConf } from "../present-conf.ts";
import { type Link, readLink, readPreimage } from "../read-link.ts";
import * as words from "../words.ts";
import { createConfView } from "./conf-view.ts";
import { field, html } from "./elements.ts";

const { endpoint = "", publicKey = "" } = html("viewer").dataset;
const server = { endpoint, publicKey };
const view = createConfView();
const preimageField = field("preimage");
const preimageForm = html("preimage-form");
const askButton = html("ask");
let isAsking = false;

openLink(readLink(location.hash.slice(1), server));
// Another link in the same tab: nothing of the former one may stay.
addEventListener("hashchange", () => location.reload());

function openLink(link: Link): void {
  const { sealed, preimage } = link;
  if (sealed !== undefined && "flaw" in sealed) say("alert", words.flawInWords(sealed.flaw));
  preimageForm.addEventListener("submit", (event) => {
    event.preventDefault();
    void askByHand(link);
  });
  if (preimage !== undefined) {
    preimageField.field.value = preimage;
    void ask(preimage, link);
    return;
  }
  preimageForm.hidden = false;
  showSealed(link);
  if (view.isShown()) say("status", words.SEALED_ONLY);
  else if (sealed === undefined) say("status", words.PASTE_PREIMAGE);
}

async function askByHand(link: Link): Promise<void> {
  const preimage = readPreimage(preimageField.field.value);
  preimageField.sayError(preimage === undefined ? words.NO_PREIMAGE : "");
  if (preimage === undefined) preimageField.field.focus();
  if (preimage === undefined || isAsking) return;
  isAsking = true;
  // Not `disabled`, which would take the focus away.
  askButton.setAttribute("aria-disabled", "true");
  await ask(preimage, link);
  askButton.removeAttribute("aria-disabled");
  isAsking = false;
}

async function ask(preimage: string, link: Link): Promise<void> {
  say("status", words.ASKING);
  const answer = await askForPresentConf(preimage, {
    server,
    get: (path, headers, signal) =>
      fetch(path, { headers, signal, cache: "no-store", credentials: "omit", redirect: "error" }),
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    nowMs: () => performance.now(),
    onWaiting(why) {
      showSealed(link);
      say("status", words.waitingInWords(why, view.isShown()));
    },
  });
  if ("conf" in answer) {
    view.show(answer.conf);
    say("alert", "");
    say("status", words.PRESENT);
    if (preimageForm.contains(document.activeElement)) view.focusPrivateKey();
    preimageForm.hidden = true;
    return;
  }
  showSealed(link);
  say("status", words.failureInWords(answer.failure, view.isShown()));
  preimageForm.hidden = answer.failure === "no-crypto";
}

function showSealed({ sealed }: Link): void {
  if (sealed !== undefined && "conf" in sealed && !view.isShown()) view.show(sealed.conf);
}

function say(where: "alert" | "status", text: string): void {
  html(where).textContent = text;
}
