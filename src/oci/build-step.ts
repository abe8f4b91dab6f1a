/** Far more than a table's cell wants to show. */
const MAX_LENGTH = 400

/**
 * A step of a build as its author wrote it: without the shell that BuildKit and its forebears put around it, without
 * their marks, and cut where it is long.
 */
export function buildStep(createdBy: string): string {
  const text = createdBy
    .slice(0, 4 * MAX_LENGTH)
    .replace('# buildkit', '')
    .trim()
  const step = text
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^(?:RUN )?(?:\|\d+ .*?)?\/bin\/sh -c /s, 'RUN ')
  return step.length > MAX_LENGTH ? `${step.slice(0, MAX_LENGTH)}…` : step
}
