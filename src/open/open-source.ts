/** Opens the source that a reference or a job names. */

import type { OpenBlob } from '../layer/member.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { FileRef, SourceRef } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import { RegistrySource } from '../source/registry/source.ts'
import type { ImageSource } from '../source/source.ts'
import { UploadSource } from '../uploads/upload-source.ts'
import { DaemonSource } from './daemon-source.ts'
import type { Service } from './service.ts'
import { VisibleSource } from './visible-source.ts'

/** @param signal aborts requests to the source */
export function openSource(service: Service, ref: SourceRef, signal?: AbortSignal): VisibleSource {
  const parts = { store: service.host.store, memory: service.memory }
  const source = sourceOf(service, ref, signal)
  return new VisibleSource(parts, service.relay?.(source) ?? source, signal)
}

/** Opens a blob, or a part of it, as often as its content is needed. */
export function blobOpener(source: Pick<VisibleSource, 'blob'>, descriptor: Descriptor): OpenBlob {
  return (range) => {
    if (range === undefined) return source.blob(descriptor)
    const { start, end = descriptor.size } = range
    return source.blob(descriptor, { offset: start, length: end - start })
  }
}

function sourceOf(service: Service, ref: SourceRef, signal: AbortSignal | undefined): ImageSource {
  switch (ref.kind) {
    case 'registry':
      return new RegistrySource(service.client, ref, { configuration: service.host.configuration, signal })
    case 'upload':
      return new UploadSource(service, ref)
    case 'docker-daemon':
      return new DaemonSource(service, ref, signal)
    case 'file':
      return openLocal(service, ref)
  }
}

function openLocal({ localImages }: Service, ref: FileRef): ImageSource {
  if (localImages !== undefined) return localImages.open(ref)
  throw new Problem(
    'invalid_reference',
    `${ref.transport}: names a file on your own machine, which this service cannot read; upload the archive to /v1/uploads and ask for upload:<id>`,
  )
}
