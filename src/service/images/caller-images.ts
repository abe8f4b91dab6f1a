/** How images are opened and analysed for one caller. */
import type { EarlierImages } from '../../gate/subject.ts'
import type { ImageFacts } from '../../image/report.ts'
import type { EarlierQuestion } from '../fleet/earlier-images.ts'
import type { OpenedImage } from '../open/open-image.ts'

export type Images = {
  readonly open: (reference: string) => Promise<OpenedImage>
  /** @throws Problem `analysis_pending` if they are not ready in time */
  readonly facts: (image: OpenedImage) => Promise<ImageFacts>
  readonly earlier: (question: Omit<EarlierQuestion, 'credentials' | 'signal'>) => Promise<EarlierImages>
}
