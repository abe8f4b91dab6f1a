/** The words of a progress: the server writes them into the page, and scripts keep them up to date. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Below this, layers are counted rather than bytes. */
const WORTH_COUNTING_BYTES = 1_000_000

/**
 * For non-negative bytes the same as `src/text/format.ts`, which no browser can load.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let rest = bytes
  let unit = 0
  for (; rest >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1; unit++) rest /= 1000
  return `${unit === 0 ? rest : rest.toPrecision(3)} ${UNITS[unit]}`
}

/**
 * An analysis that is not done, as a bar and a sentence.
 *
 * @param {{ readonly status: string, readonly progress: import('../../job.ts').Progress }} analysis
 */
export function shownProgress({ status, progress }) {
  const { bytes, bytesDone, layers, layersDone } = progress
  const isLarge = bytes >= WORTH_COUNTING_BYTES
  const [value, max] = isLarge ? [bytesDone, bytes] : [layersDone, layers]
  const read = isLarge ? `${formatBytes(bytesDone)} of ${formatBytes(bytes)} read, ` : ''
  const done = `${layersDone} of ${layers} ${layers === 1 ? 'layer' : 'layers'} done`
  return { value, max, said: status === 'queued' ? 'Waiting in the queue' : read + done }
}
