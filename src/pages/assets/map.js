/**
 * Zooming the treemap in place, by mouse and by keyboard; what a name is, at the pointer; and lighting up names. Without it the
 * same links lead to pages.
 */

const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }

/** Parameters of an address that say what the treemap shows. */
const PLACE = ['path', 'pathBase64', 'color']

/** What a rectangle is. */
const titles = new WeakMap()

for (const figure of document.querySelectorAll('[data-map]')) begin(figure)

addEventListener('popstate', (event) => {
  const figure = document.querySelector('[data-map]')
  const address = event.state?.map
  if (figure !== null && address !== undefined && address !== figure.dataset.map) void show(figure, address)
})

// What this page began with, for Back to return to.
const first = document.querySelector('[data-map]')?.dataset.map
if (first !== undefined && history.state?.map === undefined) history.replaceState({ map: first }, '')

// The address may lead into a file: that takes reading it, so the page comes first.
const further = first === undefined ? undefined : addressIn(first)
if (further !== undefined && !('pages' in document.querySelector('[data-map]').dataset))
  draw(document.querySelector('[data-map]'), further).catch(() => {})

/** The treemap that the page's own address asks for; undefined if it is shown. */
function addressIn(shown) {
  const asked = new URL(location.href).searchParams
  const name = ['path', 'pathBase64'].find((one) => asked.get(one))
  const address = new URL(shown, location.href)
  if (name === undefined || address.searchParams.get(name) === asked.get(name)) return undefined
  address.searchParams.delete('path')
  address.searchParams.set(name, asked.get(name))
  return address.pathname + address.search
}

function begin(figure) {
  const tip = figure.querySelector('[data-tip]')
  for (const title of figure.querySelectorAll('svg.treemap title')) {
    titles.set(title.parentElement, title.textContent)
    // Nearer to the pointer, an empty one keeps the browser from showing its own tooltip.
    title.parentElement.querySelector('rect').append(title.cloneNode())
  }
  lightUp(figure)
  for (const frame of figure.querySelectorAll('.wide, .narrow')) {
    // One stop for the tab key; arrow keys move on from there.
    const links = frame.querySelectorAll('a')
    for (const [at, link] of links.entries()) link.setAttribute('tabindex', at === 0 ? '0' : '-1')
    const tell = (event) => {
      const text = titles.get(event.target.closest('a, g'))
      tip.hidden = text === undefined
      if (text === undefined) return
      tip.textContent = text
      const around = figure.getBoundingClientRect()
      const box = event.target.getBoundingClientRect()
      const [x, y] = event.type === 'focusin' ? [box.left, box.bottom] : [event.clientX, event.clientY]
      const left = Math.min(x - around.left + 14, around.width - tip.offsetWidth - 8)
      tip.style.left = `${Math.max(left, 8)}px`
      const below = y + 20 + tip.offsetHeight < innerHeight
      tip.style.top = `${y - around.top + (below ? 18 : -tip.offsetHeight - 10)}px`
    }
    frame.addEventListener('pointermove', tell)
    frame.addEventListener('pointerleave', () => {
      tip.hidden = true
    })
    frame.addEventListener('focusout', () => {
      tip.hidden = true
    })
    // On what is around the picture: Chromium makes an svg that listens to focus a stop of the tab key itself.
    frame.addEventListener('focusin', (event) => {
      tell(event)
      for (const link of links) link.setAttribute('tabindex', link === event.target ? '0' : '-1')
    })
    frame.addEventListener('keydown', (event) => move(event, figure, [...links]))
  }
  // In a picture without links, the focus is on the way to it.
  figure.querySelector('.ways').addEventListener('keydown', (event) => {
    if (event.key === 'Escape') up(figure)
  })
  figure.addEventListener('click', (event) => {
    const link = event.target.closest('a')
    if (
      link === null ||
      'pages' in figure.dataset ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.button !== 0
    )
      return
    const isMap = link.hasAttribute('data-zoom') || link.closest('.ways, .switch') !== null
    if (!isMap) return
    event.preventDefault()
    void go(figure, link.getAttribute('href'))
  })
}

/** Marks what has the text in its name, or with a slash in its path. */
function lightUp(figure) {
  const form = figure.querySelector('.light')
  const input = form?.querySelector('input')
  form?.addEventListener('submit', (event) => event.preventDefault())
  input?.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase()
    let count = 0
    for (const frame of figure.querySelectorAll('.wide, .narrow')) {
      const cells = [...frame.querySelectorAll('svg > a, svg > g')]
      const lit = cells.filter((cell) => wanted !== '' && isCalled(titles.get(cell), wanted))
      for (const cell of cells) cell.classList.toggle('lit', lit.includes(cell))
      frame.classList.toggle('searched', wanted !== '')
      if (frame.checkVisibility()) count = lit.length
    }
    form.querySelector('[data-lit]').textContent = wanted === '' ? '' : `${count} lit`
  })
}

function isCalled(text, wanted) {
  const path = (text ?? '').slice(0, text?.lastIndexOf(': ')).toLowerCase()
  const name = path.slice(path.replace(/\/$/, '').lastIndexOf('/') + 1)
  return (wanted.includes('/') ? path : name).includes(wanted)
}

function move(event, figure, links) {
  if (event.key === 'Escape') {
    up(figure)
    return
  }
  const direction = KEYS[event.key]
  if (direction === undefined || event.altKey || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  nearest(event.target, links, direction)?.focus()
}

function up(figure) {
  const ways = figure.querySelectorAll('.ways a')
  const above = ways[ways.length - 2]
  if (above !== undefined) void lead(figure, above.getAttribute('href'))
}

/** The link whose middle is nearest that way; what is off the straight line counts as farther. */
function nearest(from, links, [x, y]) {
  const [fromX, fromY] = middle(from)
  let best
  let least = Number.POSITIVE_INFINITY
  for (const link of links) {
    if (link === from) continue
    const [toX, toY] = middle(link)
    const ahead = x * (toX - fromX) + y * (toY - fromY)
    if (ahead <= 0) continue
    const distance = ahead + 2 * Math.abs(x * (toY - fromY) + y * (toX - fromX))
    if (distance < least) {
      least = distance
      best = link
    }
  }
  return best
}

/** Of the head, for a directory whose children lie on it. */
function middle(link) {
  const box = link.querySelector('rect')
  const [left, top, width, height] = ['x', 'y', 'width', 'height'].map((name) =>
    Number(box.getAttribute(name)),
  )
  return box.classList.contains('frame') ? [left + 30, top + 9] : [left + width / 2, top + height / 2]
}

/** Where each place has a page, that page; else in place. */
async function lead(figure, address) {
  if ('pages' in figure.dataset) location.assign(address)
  else await go(figure, address)
}

async function go(figure, address) {
  if (await show(figure, address)) history.pushState({ map: address }, '', pageOf(address))
}

/** This page with the treemap as that address shows it: to be linked to, and shown again by Back and by a reload. */
function pageOf(address) {
  const shown = new URL(address, location.href).searchParams
  const page = new URL(location.href)
  for (const name of PLACE) {
    page.searchParams.delete(name)
    if (shown.get(name)) page.searchParams.set(name, shown.get(name))
  }
  page.hash = ''
  return page.href
}

/** @returns whether it is shown in place; otherwise the browser goes there */
async function show(figure, address) {
  try {
    await draw(figure, address)
    return true
  } catch {
    location.assign(address)
    return false
  }
}

async function draw(figure, address) {
  figure.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(address)
    if (!answer.ok) throw new Error(answer.statusText)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = page.querySelector('[data-map]')
    if (next === null) throw new Error('no treemap')
    const hadFocus = figure.contains(document.activeElement)
    const isOpen = figure.querySelector('details')?.open ?? false
    const shown = document.importNode(next, true)
    shown.querySelector('details').open = isOpen
    figure.replaceWith(shown)
    begin(shown)
    if (hadFocus) {
      const links = [...shown.querySelectorAll('svg.treemap a')]
      const place =
        links.find((link) => link.checkVisibility()) ?? shown.querySelector('.ways [aria-current]')
      place?.focus()
    }
  } finally {
    figure.removeAttribute('aria-busy')
  }
}
