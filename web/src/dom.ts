/** Elements without a framework. Text is always a text node: nothing that came from anybody is ever parsed as HTML. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];
type Attributes = Record<string, unknown>;

const URL_ATTRIBUTES = new Set(["href", "src", "action"]);

/** An element. `on...` listens, `true` and `false` set or leave out an attribute, addresses must be http(s). */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (URL_ATTRIBUTES.has(name) && !isWebAddress(String(value))) continue;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(parent: Node, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child as readonly Child[]);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** Fills `list` with an element for each item, and leaves alone what says the same as before: the focus and what is open stay. */
export function keyed<T>(list: HTMLElement, key: (item: T) => string, show: (item: T) => HTMLElement): (items: readonly T[]) => void {
  let known = new Map<string, { seen: string; element: HTMLElement }>();
  return (items) => {
    const next: typeof known = new Map();
    for (const item of items) {
      const [id, seen] = [key(item), JSON.stringify(item)];
      const former = known.get(id);
      next.set(id, former?.seen === seen ? former : { seen, element: show(item) });
    }
    known = next;
    const wanted = [...next.values()].map(({ element }) => element);
    for (const child of [...list.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
    wanted.forEach((element, at) => {
      if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    });
  };
}

/** `javascript:` and its like are links to nowhere. */
export function isWebAddress(value: string): boolean {
  try {
    return ["https:", "http:"].includes(new URL(value, location.href).protocol);
  } catch {
    return false;
  }
}

/** Says something to a screen reader without moving anything. */
export function announce(text: string): void {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}
