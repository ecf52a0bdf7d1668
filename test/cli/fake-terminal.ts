/** A stream that remembers what was written to it, and says that it is a terminal of the given size where it has one. */
export function fakeStream(terminal?: { columns: number; rows: number; colours?: boolean }): {
  stream: NodeJS.WriteStream;
  text(): string;
} {
  let written = "";
  const stream = {
    isTTY: terminal !== undefined,
    ...terminal,
    hasColors: () => terminal?.colours === true,
    write(text: string) {
      written += text;
      return true;
    },
  };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => written };
}
