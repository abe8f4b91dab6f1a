import { expect, it } from 'vitest'
import { buildStep } from './build-step.ts'

it.each([
  ['/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'],
  ['/bin/sh -c apt-get update', 'RUN apt-get update'],
  ['|1 VERSION=1 /bin/sh -c make', 'RUN make'],
  ['RUN /bin/sh -c apk add curl # buildkit', 'RUN apk add curl'],
  ['RUN |2 A=1 B=2 /bin/sh -c make # buildkit', 'RUN make'],
  ['COPY app /srv # buildkit', 'COPY app /srv'],
  ['', ''],
])('%j is %j', (createdBy, step) => {
  expect(buildStep(createdBy)).toBe(step)
})

it('cuts long steps', () => {
  expect(buildStep(`RUN ${'a'.repeat(1_000_000)}`)).toHaveLength(401)
})
