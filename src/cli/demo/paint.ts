import { inspect } from "node:util";

/** A piece of text and how it is to look. */
export type Span = readonly [text: string, style?: "bold" | "dim" | "red" | "green" | "yellow" | "cyan"];

/** Puts spans together to one line of a terminal, cut at `columns` where given. */
export type Paint = (spans: readonly Span[], columns?: number) => string;

/** Paints for a stream: in colour on a terminal that shows colours, unless `NO_COLOR` forbids it. */
export function createPaint(stream: NodeJS.WriteStream): Paint {
  const coloured = stream.isTTY === true && stream.hasColors();
  return (spans, columns = Number.POSITIVE_INFINITY) => {
    let left = columns;
    let line = "";
    for (const [text, style] of spans) {
      const shown = text.slice(0, left);
      left -= shown.length;
      const [on, off] = (coloured && style && inspect.colors[style]) || [];
      line += on === undefined || shown === "" ? shown : `\x1b[${on}m${shown}\x1b[${off}m`;
    }
    return line.trimEnd();
  };
}
