/** The element of page.html with this id. Throws when page and script have drifted apart. */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`page.html has no ${kind.name} #${id}`);
  return found;
}

export function html(id: string): HTMLElement {
  return element(id, HTMLElement);
}

/** A text field with the line below it that says what is wrong with it; empty: nothing. */
export interface Field {
  field: HTMLInputElement;
  sayError(words: string): void;
}

export function field(id: string): Field {
  const input = element(id, HTMLInputElement);
  const error = html(`${id}-error`);
  return {
    field: input,
    sayError(words) {
      error.textContent = words;
      if (words === "") input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    },
  };
}
