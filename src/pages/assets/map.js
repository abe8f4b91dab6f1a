/** Zooming the treemap in place, by mouse and by keyboard. Without it the same links lead to pages. */

const KEYS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }

for (const figure of document.querySelectorAll('[data-map]')) begin(figure)

addEventListener('popstate', (event) => {
  const figure = document.querySelector('[data-map]')
  const address = event.state?.map ?? first
  if (figure !== null && address !== undefined && address !== figure.dataset.map) void show(figure, address)
})

const first = document.querySelector('[data-map]')?.dataset.map

function begin(figure) {
  const told = figure.querySelector('[data-told]')
  for (const frame of figure.querySelectorAll('.wide, .narrow')) {
    // One stop for the tab key; arrow keys move on from there.
    const links = frame.querySelectorAll('a')
    for (const [at, link] of links.entries()) link.setAttribute('tabindex', at === 0 ? '0' : '-1')
    const tell = (event) => {
      const text = event.target.closest('a, g')?.querySelector('title')?.textContent
      if (text) told.textContent = text
    }
    // On what is around the picture: Chromium makes an svg that listens to focus a stop of the tab key itself.
    frame.addEventListener('pointerover', tell)
    frame.addEventListener('focusin', (event) => {
      tell(event)
      for (const link of links) link.setAttribute('tabindex', link === event.target ? '0' : '-1')
    })
    frame.addEventListener('keydown', (event) => move(event, figure, [...links]))
  }
  figure.addEventListener('click', (event) => {
    const link = event.target.closest('a')
    if (link === null || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    const isMap = link.hasAttribute('data-zoom') || link.closest('.ways, .switch') !== null
    if (!isMap) return
    event.preventDefault()
    void go(figure, link.getAttribute('href'))
  })
}

function move(event, figure, links) {
  if (event.key === 'Escape') {
    const ways = figure.querySelectorAll('.ways a')
    const above = ways[ways.length - 2]
    if (above !== undefined) void go(figure, above.getAttribute('href'))
    return
  }
  const direction = KEYS[event.key]
  if (direction === undefined || event.altKey || event.ctrlKey || event.metaKey) return
  event.preventDefault()
  nearest(event.target, links, direction)?.focus()
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

async function go(figure, address) {
  if (await show(figure, address)) history.pushState({ map: address }, '')
}

/** @returns whether it is shown in place; otherwise the browser goes there */
async function show(figure, address) {
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
    return true
  } catch {
    location.assign(address)
    return false
  }
}
