import { systemCode } from "../../../http/system-code.js";
import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";

/** What writing `path` failed with. `kept` says what of the download is still there. */
export function diskError(error: unknown, path: string, kept: string | undefined): unknown {
  const code = systemCode(error);
  if (error instanceof CliError || code === null || !("syscall" in (error as object))) return error;
  const shown = printable(path);
  const why = WHY[code];
  if (why === undefined) return new CliError("LOCAL_FILE", `cannot write ${shown} (${code})`, { cause: error });
  const [isFull, text] = why;
  return new CliError(isFull ? "DISK_FULL" : "LOCAL_FILE", `cannot write ${shown}: ${text}`, {
    hint: isFull ? kept : undefined,
    cause: error,
  });
}

/** Whether it is room that is missing, and what to say. */
const WHY: Readonly<Record<string, readonly [boolean, string]>> = {
  ENOSPC: [true, "the disk is full"],
  EDQUOT: [true, "the quota of this user is used up"],
  EFBIG: [true, "files may not become that large here"],
  EACCES: [false, "this user may not"],
  EPERM: [false, "this user may not"],
  EROFS: [false, "the disk is read-only"],
  ENOENT: [false, "its folder does not exist"],
  ENOTDIR: [false, "what should be its folder is a file"],
  ENAMETOOLONG: [false, "the name is too long"],
};
