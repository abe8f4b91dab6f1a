import { expect, test } from 'vitest'
import { instructionOf, optionOf, readStep } from './step.ts'

test.each([
  [
    'RUN /bin/sh -c chown -R 1000:1000 /srv # buildkit',
    { option: 'chown', value: '1000:1000', command: 'chown -R 1000:1000 /srv' },
  ],
  ['/bin/sh -c cd /srv && chmod -R g+w .', { option: 'chmod', value: 'g+w', command: 'chmod -R g+w .' }],
  [
    'RUN /bin/sh -c chown --recursive app:app /a; ls',
    { option: 'chown', value: 'app:app', command: 'chown --recursive app:app /a' },
  ],
  ['RUN /bin/sh -c chown $USER /a', undefined],
  ['RUN /bin/sh -c echo chown', undefined],
  ['COPY a /b', undefined],
])('%s', (createdBy, option) => {
  const step = readStep(createdBy)
  expect(step && optionOf(step)).toEqual(option)
})

test('a fix quotes a step in one line, without characters that would end the quotation', () => {
  const step = readStep('RUN /bin/sh -c a `b`\n\u001b[31m\u202e c # buildkit')
  expect(step).toEqual({ instruction: 'RUN', arguments: 'a b [31m c' })
  expect(readStep(undefined)).toBeUndefined()
  expect(readStep('a tool of its own')).toBeUndefined()
})

test("the classic builder's checksum is not quoted", () => {
  const step = readStep('/bin/sh -c #(nop) COPY dir:0a1b2c in /srv/app ')
  expect(step && instructionOf(step, '--chown=a')).toBe('COPY --chown=a … /srv/app')
})
