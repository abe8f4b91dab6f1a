/** For code that must not be slow: the time limit of a test cannot end what never lets the event loop turn, such as a pattern that backtracks. */
import { runInNewContext } from 'node:vm'

/** A busy machine is not a failure: the code takes milliseconds, or hours. */
const MOST_MILLISECONDS = 20_000

/** What `run` returns. @throws Error if it runs for too long */
export function interruptible<Result>(run: () => Result): Result {
  return runInNewContext('run()', { run }, { timeout: MOST_MILLISECONDS })
}
