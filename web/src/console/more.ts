/** A list of the console that is read page by page. */
import { append, h, replace, type Child } from "../dom";
import { button, failure, isSessionEnd } from "../ui";
import type { Answer } from "./answers";
import type { Context } from "./panel";

interface Page extends Answer {
  next_page_token: string;
}

/** Returns a table body with the rows of the first page, and the button for the next page below the table. */
export function pages<T extends Page>(path: string, first: T, rows: (page: T) => Child[], { api, place }: Context): { list: HTMLElement; below: HTMLElement } {
  const list = h("tbody");
  const below = h("div");
  const add = (page: T): void => {
    append(list, rows(page));
    replace(below, page.next_page_token && button("Show more", () => void more(page.next_page_token), "small"));
  };
  const more = async (token: string): Promise<void> => {
    try {
      add(await api.get<T>(`${path}?page_size=50&next_page_token=${encodeURIComponent(token)}`, place.signal));
    } catch (error) {
      if (!place.signal.aborted && !isSessionEnd(error)) replace(below, failure(error));
    }
    list.dataset.more = ""; // the page is not shortened again by itself
  };
  add(first);
  return { list, below };
}
