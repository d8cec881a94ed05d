/** Elements without a framework. Text is always a text node, so that no data is ever parsed as HTML. */

export type Child = Node | string | number | null | undefined | false | readonly Child[];
type Attributes = Record<string, unknown>;

const URL_ATTRIBUTES = new Set(["href", "src", "action"]);

/** Returns an element. `on...` adds a listener, `true` and `false` set or omit an attribute, addresses must be http(s). */
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

/** Fills `list` with an element for each item. Elements with the same content stay, with their focus and open menus. */
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

/** Refuses `javascript:` and similar addresses. */
export function isWebAddress(value: string): boolean {
  try {
    return ["https:", "http:"].includes(new URL(value, location.href).protocol);
  } catch {
    return false;
  }
}

/** Announces a text to screen readers without moving the focus. */
export function announce(text: string): void {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}
