/** Names and meanings of an image's figures: the same words in pages, Markdown, text and documents. */

type FigureName = {
  readonly label: string
  /** In the head of a column. */
  readonly short: string
  readonly meaning: string
}

export const FIGURES = {
  compressed: {
    label: 'Compressed size',
    short: 'Compressed',
    meaning: 'the layers as a registry stores them, and a pull transfers them',
  },
  uncompressed: {
    label: 'Uncompressed size',
    short: 'Uncompressed',
    meaning: 'the tars of the layers',
  },
  fileSystem: {
    label: 'File system',
    short: 'Size',
    meaning:
      'the files that a container sees; each path of a hard link counts, as in the sizes of directories',
  },
  wasted: {
    label: 'Wasted',
    short: 'Wasted',
    meaning: 'files that a later layer removed or replaced: transferred and never seen',
  },
  duplicated: {
    label: 'Duplicated',
    short: 'Duplicated',
    meaning: 'what keeping one copy of each content would save',
  },
  efficiency: { label: 'Efficiency', short: 'Efficiency', meaning: "dive's score" },
  files: { label: 'Files', short: 'Files', meaning: 'regular files in the file system' },
  layers: { label: 'Layers', short: 'Layers', meaning: 'layers of the image' },
} as const satisfies Readonly<Record<string, FigureName>>
