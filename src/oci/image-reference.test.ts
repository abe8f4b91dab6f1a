import { describe, expect, it } from 'vitest'
import { formatImageReference, nameIn, parseImageReference, pinnedReference } from './image-reference.ts'

const ID = 'q3Jx0S1vZk2m8H5yT7uWbA'
const DIGEST = `sha256:${'a'.repeat(64)}`

describe('a reference', () => {
  it.each([
    ['nginx:1.27', 'docker', '1.27', 'docker.io/library/nginx:1.27'],
    ['docker://nginx', 'docker', 'latest', 'docker.io/library/nginx:latest'],
    [`upload:${ID}`, 'upload', '', `upload:${ID}`],
    [`upload:${ID}:127.0.0.1:5600/app:v1`, 'upload', '127.0.0.1:5600/app:v1', undefined],
    [`upload:${ID}@${DIGEST}`, 'upload', DIGEST, undefined],
    ['docker-daemon:app', 'docker-daemon', 'app:latest', 'docker-daemon:app:latest'],
    [`docker-daemon:${DIGEST}`, 'docker-daemon', DIGEST, undefined],
    ['docker-archive:dir/app.tar:app:v1', 'docker-archive', 'app:v1', undefined],
    ['oci:folder', 'oci', '', undefined],
  ])('%s', (text, transport, name, formatted = text) => {
    const reference = parseImageReference(text)
    expect(reference.transport).toBe(transport)
    expect(nameIn(reference)).toBe(name)
    expect(formatImageReference(reference)).toBe(formatted)
    expect(formatImageReference(parseImageReference(formatted))).toBe(formatted)
  })

  it.each([
    'upload:',
    `upload:../${ID}`,
    `upload:${ID}:`,
    `upload:${ID}@`,
    `upload:${ID}@sha256:12`,
    `docker://upload:${ID}`,
    `Upload:${ID}`,
    'dir:/tmp',
    'containers-storage:busybox',
    'oci:',
  ])('%s is not a reference', (text) => {
    expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ code: 'invalid_reference' }))
  })

  it.each([ID.slice(1), '00000000-0000-4000-8000-000000000000'])(
    'upload:%s names no upload: none has such an id',
    (id) => {
      expect(() => parseImageReference(`upload:${id}`)).toThrow(
        expect.objectContaining({ code: 'upload_not_found' }),
      )
    },
  )

  it('is pinned to a digest in its own source', () => {
    expect(pinnedReference('nginx:1.27', DIGEST)).toBe(`docker.io/library/nginx@${DIGEST}`)
    expect(pinnedReference(`upload:${ID}:app:v1`, DIGEST)).toBe(`upload:${ID}@${DIGEST}`)
  })
})
