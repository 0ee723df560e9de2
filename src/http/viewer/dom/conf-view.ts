import { type QrPath, qrPath } from "../qr-path.ts";
import { type CheckedConf, readPrivateKey, withPrivateKey } from "../read-conf.ts";
import { COPIED, NO_PRIVATE_KEY, SELECTED } from "../words.ts";
import { element, field, html } from "./elements.ts";

export interface ConfView {
  /** Shows it, or puts it in the place of the one shown; a private key that was typed stays. */
  show(conf: CheckedConf): void;
  isShown(): boolean;
  focusPrivateKey(): void;
}

/** The .conf, the field for the private key, and what appears once that is filled in. */
export function createConfView(): ConfView {
  const privateKey = field("private-key");
  const text = html("conf");
  const copied = html("copied");
  let shown: CheckedConf | undefined;

  function render(): void {
    if (shown === undefined) return;
    const key = readPrivateKey(privateKey.field.value);
    const filledIn = key === undefined ? undefined : withPrivateKey(shown, key);
    text.textContent = filledIn ?? shown;
    copied.textContent = "";
    html("key-first").hidden = filledIn !== undefined;
    html("download").hidden = filledIn === undefined;
    drawQrCode(filledIn);
    if (filledIn !== undefined || privateKey.field.value === "") privateKey.sayError("");
  }

  privateKey.field.addEventListener("input", render);
  // Not while it is being typed.
  privateKey.field.addEventListener("change", () => {
    const typed = privateKey.field.value;
    if (typed !== "" && readPrivateKey(typed) === undefined) privateKey.sayError(NO_PRIVATE_KEY);
  });
  html("download").addEventListener("click", () => download(text.textContent ?? ""));
  html("copy").addEventListener("click", async () => {
    copied.textContent = (await copy(text)) ? COPIED : SELECTED;
  });

  return {
    show(conf) {
      shown = conf;
      html("key-section").hidden = false;
      html("conf-section").hidden = false;
      render();
    },
    isShown: () => shown !== undefined,
    focusPrivateKey: () => privateKey.field.focus(),
  };
}

const NO_CODE: QrPath = { size: 1, path: "" };

function drawQrCode(conf: string | undefined): void {
  html("qr-figure").hidden = conf === undefined;
  const { size, path } = conf === undefined ? NO_CODE : qrPath(conf);
  element("qr", SVGSVGElement).setAttribute("viewBox", `0 0 ${size} ${size}`);
  element("qr-path", SVGPathElement).setAttribute("d", path);
}

/** As bytes of no known type: phones put an ending of their own behind the name of a text. */
function download(conf: string): void {
  const url = URL.createObjectURL(new Blob([conf], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "europa.conf";
  link.click();
  // The browser may read it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** False where the browser does not let a page copy; the text is selected then. */
async function copy(text: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(text);
    return false;
  }
}
