/** What Scalar 1.76 leaves out for screen readers and keyboards. https://github.com/scalar/scalar */

/** Completes the parts of `root` now, and whatever is put into it later. */
export function complete(root: HTMLElement): void {
  new MutationObserver(() => mend(root)).observe(root, { childList: true, subtree: true, attributeFilter: ["aria-expanded"] });
  mend(root);
}

function mend(root: HTMLElement): void {
  // A box to type into that can offer a list has to say that the list is closed. https://www.w3.org/TR/wai-aria-1.2/#combobox
  for (const box of root.querySelectorAll("[role=combobox]:not([aria-expanded])")) box.setAttribute("aria-expanded", "false");
  for (const group of root.querySelectorAll("[role=listbox] > div[aria-labelledby]:not([role])")) group.setAttribute("role", "group");
  // Every operation has a region of the same name, so landmarks would not help. A button is announced as a button.
  for (const card of root.querySelectorAll(".scalar-card[role=region]")) card.setAttribute("role", "group");
  for (const button of root.querySelectorAll("button[role=none]")) button.removeAttribute("role");
}
