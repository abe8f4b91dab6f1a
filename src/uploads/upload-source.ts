/** An upload as a source of images, for callers who have its id. */

import type { UploadRef } from '../oci/source-ref.ts'
import type { Service } from '../open/service.ts'
import { ArchiveSource } from '../source/archive/archive-source.ts'
import { isUploadGone, openUpload } from './upload.ts'

export class UploadSource extends ArchiveSource<UploadRef> {
  readonly #service: Service

  constructor(service: Service, ref: UploadRef) {
    super(ref, () => openUpload(service, ref.id))
    this.#service = service
  }

  isGone(): Promise<boolean> {
    return isUploadGone(this.#service, this.ref.id)
  }
}
