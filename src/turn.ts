/** Leaves the event loop to others for a moment: aborts, timers, other requests, and the collector's own tasks. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
