// The package's entry loads the limiters of every database that it knows, forty milliseconds of work on the main thread.
declare module "rate-limiter-flexible/lib/RateLimiterMemory.js" {
  export { RateLimiterMemory as default } from "rate-limiter-flexible";
}
