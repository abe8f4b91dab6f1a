/** Checks that each file of the product starts with a comment, which says what the file is for. */

/** A fault, as a sentence, if the file does not; `///` is an instruction to the compiler. */
export function findMissingHead(file: string, text: string): readonly string[] {
  if (/^(?:#!.*\n)?\/(?:\*|\/(?!\/))/.test(text)) return []
  return [`${file} does not start with a comment: say in a sentence what the file is for`]
}
