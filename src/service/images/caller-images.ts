/** How images are opened and analysed for one caller. */
import type { EarlierImages } from '../../gate/subject.ts'
import type { ImageFacts } from '../../image/report.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import type { FoundAuto } from '../base/auto.ts'
import type { EarlierQuestion } from '../fleet/earlier-images.ts'

export type Images = {
  readonly open: (reference: string) => Promise<OpenedImage>
  /** @throws Problem `analysis_pending` if they are not ready in time */
  readonly facts: (image: OpenedImage) => Promise<ImageFacts>
  /** The base of `baseImage=auto`. @throws Problem of a name that cannot be read, if no other fits */
  readonly autoBase: (image: OpenedImage) => Promise<FoundAuto>
  readonly earlier: (question: Omit<EarlierQuestion, 'credentials' | 'signal'>) => Promise<EarlierImages>
}
