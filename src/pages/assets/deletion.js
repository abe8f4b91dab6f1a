/** What deleting tags frees, in numbers and words: the server writes them into the page, and a script keeps them up to date. */
import { formatBytes } from './progress.js'

/**
 * Bytes that nothing needs any more. A group of contents is freed with the last of its tags.
 *
 * @param {readonly (readonly [tags: readonly number[], bytes: number])[]} groups tags by their place
 * @param {ReadonlySet<number>} going places of the tags that go
 */
export function freedBytes(groups, going) {
  let freed = 0
  for (const [tags, bytes] of groups) if (tags.every((tag) => going.has(tag))) freed += bytes
  return freed
}

/**
 * @param {number} tags how many go
 * @param {number} bytes
 */
export function freedSentence(tags, bytes) {
  if (tags === 0) return 'Tick tags to see what deleting them frees.'
  return `Deleting ${tags.toLocaleString('en')} ${tags === 1 ? 'tag' : 'tags'} frees ${formatBytes(bytes)} once the registry has collected its garbage.`
}

/**
 * A line for each image all of whose tags go. Registries delete a manifest with all its tags, and most cannot delete one of
 * several: a comment says so.
 *
 * @param {'crane' | 'skopeo'} tool
 * @param {string} repository
 * @param {readonly { readonly name: string, readonly digest: string, readonly goes: boolean }[]} tags
 */
export function deletionLines(tool, repository, tags) {
  const lines = new Map()
  for (const { digest, goes } of tags) {
    if (!goes || lines.has(digest)) continue
    const same = tags.filter((tag) => tag.digest === digest)
    const going = same.filter((tag) => tag.goes).map(({ name }) => name)
    const staying = same.filter((tag) => !tag.goes).map(({ name }) => name)
    const place = `${tool === 'skopeo' ? 'docker://' : ''}${repository}@${digest}`
    lines.set(
      digest,
      staying.length === 0
        ? `${tool} delete ${place}  # ${going.join(', ')}`
        : `# ${going.join(', ')}: not alone, ${staying.join(', ')} ${staying.length === 1 ? 'is' : 'are'} the same image`,
    )
  }
  return [...lines.values()].join('\n')
}
