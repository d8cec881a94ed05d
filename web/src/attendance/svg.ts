/** SVG elements, the colours of the pictures, and a picture as a file. */

export type SvgChild = Node | string | null | false | undefined | readonly SvgChild[];

const NAMESPACE = "http://www.w3.org/2000/svg";

export function svg(tag: string, attributes: Record<string, string | number> = {}, ...children: SvgChild[]): SVGElement {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  for (const child of children.flat(9) as (Node | string | null | false | undefined)[]) if (child) element.append(child);
  return element;
}

/** A text that is cut to about `width` pixels. The whole text appears on hover. */
export function label(text: string, x: number, y: number, width: number, attributes: Record<string, string | number> = {}): SVGElement {
  const most = Math.max(3, Math.floor(width / 7.4)); // the width of an average letter at 14 pixels
  const letters = [...text];
  const shown = letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
  return svg("text", { x, y, ...attributes }, shown, shown !== text && svg("title", {}, text));
}

/** Returns the picture as a file of its own, in the light colours, because a document may show it anywhere. */
export function fileOf(picture: SVGElement): string {
  const copy = picture.cloneNode(true) as SVGElement;
  copy.setAttribute("xmlns", NAMESPACE);
  copy.prepend(svg("style", {}, FILE_STYLE));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}

/** The light half of attendance.css, whose class names these are. */
const FILE_STYLE = `
svg { background: #fff; font: 14px system-ui, sans-serif; }
text { fill: #1b1d21; } .dim { fill: #545b66; font-size: 12px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.rule { stroke: #dfe3e9; } .stay { fill: #0b57d0; } .device { fill: #4d8ae8; }
.wait { fill: #fff1dc; stroke: #7a4100; } .cut { stroke: #7a4100; stroke-width: 3; }
.people { fill: #0b57d0; fill-opacity: 0.18; stroke: #0b57d0; } .peak { stroke: #7a4100; stroke-dasharray: 4 3; }
.cell { fill: #0b57d0; } .none { fill: none; stroke: #dfe3e9; }
`;
