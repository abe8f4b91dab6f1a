/** How images are opened and analysed for one caller. */
import type { ImageFacts } from '../../image/report.ts'
import type { OpenedImage } from '../open/open-image.ts'

export type Images = {
  readonly open: (reference: string) => Promise<OpenedImage>
  /** @throws Problem `analysis_pending` if they are not ready in time */
  readonly facts: (image: OpenedImage) => Promise<ImageFacts>
}
