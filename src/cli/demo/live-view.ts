import { renderFooter } from "./footer.js";
import { createPaint } from "./paint.js";
import { createScreen } from "./screen.js";
import { renderTable } from "./table.js";
import type { Output } from "./terminal.js";
import type { View } from "./view.js";

/** A table on a terminal that is drawn again and again in one place. The cursor is back after `close()`, and however the process ends. */
export function createLiveView(output: Output, hasKeys: boolean): View {
  const paint = createPaint(output.stdout);
  const screen = createScreen(output);
  return {
    everyMs: 250,
    show(scene) {
      const { columns } = screen;
      screen.draw([...renderTable(scene.rows, columns, paint), "", ...renderFooter(scene, hasKeys, columns, paint)]);
    },
    complain: screen.complain,
    close: screen.close,
  };
}
