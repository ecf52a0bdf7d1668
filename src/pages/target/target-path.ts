/**
 * The real path of a file to pull into, which need not be there: links are followed, so that what stands beside it stands beside the real file.
 * @throws `LOCAL_DATABASE` where its folder is missing, or it is a folder or anything else that is no file
 */
export function resolveTarget(_file: string): string {
  throw new Error("Not written yet");
}
