/** What another compression was measured to save, as an item of advice. */
import type { CompressionSetting } from '../oci/compression-setting.ts'
import type { Advice, AdviceItem } from './advise.ts'

/** A setting with which all layers of an image were measured. */
export type CompressionSaving = {
  readonly setting: CompressionSetting
  /** What a pull of the image takes less; each blob once. */
  readonly bytes: number
}

/** With an item for what is saved, if anything. It is not part of the savings, which are bytes on disk. */
export function withCompression(advice: Advice, saving: CompressionSaving | undefined): Advice {
  if (saving === undefined || saving.bytes <= 0) return advice
  const items = [...advice.items, itemOf(saving)].toSorted((a, b) => b.bytes - a.bytes)
  return { ...advice, items }
}

function itemOf({ setting, bytes }: CompressionSaving): AdviceItem {
  const [format, level] = setting.split(':')
  return {
    rule: 'compression',
    kind: setting,
    severity: 'info',
    title: `Layers that ${setting} compresses better, as measured`,
    bytes,
    files: 0,
    paths: [],
    fix: `A pull takes this much less if the \`--output\` of \`docker buildx build\` sets \`compression=${format}\`, \`compression-level=${level}\` and \`force-compression=true\`. Its layers are other blobs then, not shared with images that keep the old ones${format === 'zstd' ? ', and engines before Docker 23 and containerd 1.5 cannot pull them' : ''}.`,
  }
}
