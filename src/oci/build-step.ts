/** Makes the commands in an image's history readable. */

/** Far more than a table cell shows. */
const MAX_LENGTH = 400

/**
 * A build step as its author wrote it: without the shell and the marks that BuildKit and the classic builder add, and
 * shortened.
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
