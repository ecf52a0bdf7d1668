export { ConfigurationError, ReplicaError, type ReplicaErrorCode } from "../errors.js";
export { createExports } from "./create-exports.js";
export type { ExportControl } from "./export-control.js";
export { EXPORT_EVENTS } from "./export-events.js";
export type {
  ByteRange,
  ExportCallback,
  ExportDownload,
  ExportFormat,
  ExportJob,
  ExportRequest,
  ExportSelection,
  ExportStream,
} from "./export-job.js";
export type { Exports } from "./exports.js";
export type { CallbackOptions, ExportsOptions, S3Options } from "./exports-options.js";
export type { ExportRoutes, ExportRoutesOptions } from "./routes/export-routes-options.js";
export type { StreamSelection } from "./stream-selection.js";
