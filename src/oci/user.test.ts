import { expect, it, test } from 'vitest'
import { needsDatabases, resolveUser } from './user.ts'

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# app:x:1:1::/comment:/bin/sh
garbage

:x:7:7::/nameless:
+::::::
bad:x:notanumber:5::/bad:/bin/sh
1234:x:2000:2000:a name that is a number:/home/1234:/bin/sh
app:x:1000:1001:App:/home/app:/bin/sh
app:x:1111:1111:a second one:/home/second:/bin/sh
again:x:1000:1002:the same uid:/home/again:/bin/sh
last:x:1600:1601:no newline:/home/last:/bin/sh`
const GROUP = `root:x:0:
garbage
app:x:1001:
bad:x:nan:app
extra:x:2001:other,app
more:x:2002:app,other
again:x:2003:apple,xapp
2002:x:2004:
last:x:1601:last`

const databases = { passwd: PASSWD, group: GROUP }
const HOME = '/home/app'

test.each([
  [undefined, 0, 0, [], '/root'],
  ['root', 0, 0, [], '/root'],
  ['app', 1000, 1001, [2001, 2002], HOME],
  ['app:', 1000, 1001, [2001, 2002], HOME],
  ['app:extra', 1000, 2001, [], HOME],
  ['app:3000', 1000, 3000, [], HOME],
  ['1000', 1000, 1001, [], HOME],
  ['1000:more', 1000, 2002, [], HOME],
  ['1000:2002', 1000, 2002, [], HOME],
  [':extra', 0, 2001, [], '/root'],
  ['5555', 5555, 0, [], undefined],
  ['1234', 1234, 0, [], undefined],
  ['last', 1600, 1601, [1601], '/home/last'],
  ['4294967294:4294967294', 4294967294, 4294967294, [], undefined],
])('%s is %d:%d', (user, uid, gid, additionalGids, home) => {
  expect(resolveUser(user, databases)).toStrictEqual({ uid, gid, additionalGids, home })
})

test.each(['ghost', 'app:ghosts', 'bad', 'ap', '# app', 'app:bad', '-1', '4294967296', '0:4294967295'])(
  'a container that runs as %s is refused, naming the user',
  (user) => {
    const named = user.slice(user.indexOf(':') + 1)
    expect(() => resolveUser(user, databases)).toThrow(
      expect.objectContaining({ code: 'invalid_image', message: expect.stringContaining(named) }),
    )
  },
)

it('an image without the files has root and numbers', () => {
  const none = { passwd: '', group: '' }
  expect(resolveUser(undefined, none)).toStrictEqual({ uid: 0, gid: 0, additionalGids: [], home: undefined })
  expect(() => resolveUser('root', none)).toThrow('etc/passwd')
})

it('only a numeric user and group need no file', () => {
  expect(['1:2', '1', '1:', 'a:2', '1:b', undefined].map(needsDatabases)).toStrictEqual([
    false,
    true,
    true,
    true,
    true,
    true,
  ])
})
