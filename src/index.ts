export { ConfigurationError, ERROR_CODES, ReplicaError, type ReplicaErrorCode } from "./errors.js";
