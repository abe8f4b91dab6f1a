/** Advice requested by a posted body. */
import { dockerfileOf, readBody, readingAt, textAt, valuesAt } from '../gate/request.ts'
import { Problem } from '../problem.ts'

export type AdviceRequest = {
  readonly image: string
  readonly platform?: string
  readonly read?: 'full' | 'toc'
  /** Globs. */
  readonly ignore: readonly string[]
  readonly baseImage?: string
  /** The text of the image's Dockerfile. */
  readonly dockerfile?: string
}

/**
 * @param mediaType the body's `Content-Type`; anything but JSON is read as YAML
 * @throws Problem `invalid_parameter`, `too_large`
 */
export function readAdviceRequest(text: string, mediaType: string | undefined): AdviceRequest {
  const body = readBody(text, mediaType, ['image', 'platform', 'read', 'ignore', 'baseImage', 'dockerfile'])
  const image = textAt(body, 'image')
  if (image === undefined) throw new Problem('invalid_parameter', 'image is missing', { parameter: 'image' })
  const platform = textAt(body, 'platform')
  const baseImage = textAt(body, 'baseImage')
  const ignore = body.get('ignore')
  return {
    image,
    ...(platform === undefined ? {} : { platform }),
    ...readingAt(body),
    ignore: ignore === undefined ? [] : valuesAt('ignore', ignore),
    ...(baseImage === undefined ? {} : { baseImage }),
    ...dockerfileOf(body),
  }
}
