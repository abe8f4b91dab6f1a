/** What the pages do beyond HTML: all of them work without it. */
import { shownProgress } from './progress.js'

/** `home.js` reads it. */
const LOOKED = 'lamina.looked'

for (const button of document.querySelectorAll('button[data-copies]')) {
  button.addEventListener('click', () => copy(button))
}

for (const details of document.querySelectorAll('details[data-load]')) {
  details.addEventListener('toggle', () => load(details), { once: true })
}

const heading = document.querySelector('[data-looked]')
if (heading !== null) note(heading)

const waiting = [...document.querySelectorAll('[data-events]')]
if (waiting.length > 0) void Promise.all(waiting.map(follow)).then(() => location.reload())

/** Shows what a link leads to in the link's place. */
async function load(details) {
  const placeholder = details.querySelector('.load')
  details.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(details.dataset.load)
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const shown = page.querySelector('[data-loaded]') ?? page.querySelector('[role="alert"]')
    if (shown !== null) placeholder.replaceWith(document.importNode(shown, true))
  } catch {
    // The link is still there.
  } finally {
    details.removeAttribute('aria-busy')
  }
}

/** Notes in this browser what is looked at, for the list on the first page. */
function note(heading) {
  const href = location.pathname + location.search
  const place = heading.querySelector('.place')?.textContent ?? ''
  try {
    const kept = JSON.parse(localStorage.getItem(LOOKED) ?? '[]').filter((one) => one.href !== href)
    localStorage.setItem(
      LOOKED,
      JSON.stringify([{ href, place, title: heading.dataset.looked }, ...kept].slice(0, 12)),
    )
  } catch {
    // Some browsers keep nothing.
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copies)
  try {
    await navigator.clipboard.writeText(source.textContent)
    announce(button, 'Copied')
  } catch {
    // Without a secure context there is no clipboard: the text is selected, the reader copies it.
    getSelection().selectAllChildren(source)
    announce(button, 'Selected')
  }
}

/** The button's own text is what a screen reader is told, since its live region holds it. */
function announce(button, text) {
  const said = button.querySelector('[aria-live]')
  const before = said.textContent
  said.textContent = text
  setTimeout(() => {
    said.textContent = before
  }, 2000)
}

/** Resolves when that analysis has ended, well or not: the page itself then tells how. */
function follow(section) {
  return new Promise((resolve) => {
    const events = new EventSource(section.dataset.events)
    const end = () => {
      events.close()
      resolve()
    }
    events.addEventListener('progress', (event) => show(section, JSON.parse(event.data)))
    events.addEventListener('succeeded', (event) => {
      show(section, JSON.parse(event.data))
      end()
    })
    events.addEventListener('failed', end)
    // A stream that ends is taken up again by the browser; one that is refused is not, so the page asks anew.
    events.addEventListener('error', () => {
      if (events.readyState === EventSource.CLOSED) setTimeout(end, 2000)
    })
  })
}

function show(section, analysis) {
  const { value, max, said } = shownProgress(analysis)
  const bar = section.querySelector('progress')
  bar.max = Math.max(max, 1)
  bar.value = value
  section.querySelector('[data-said]').textContent = said
}
