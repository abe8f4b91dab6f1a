/** Starts Swagger UI, in the colours that the reader's system has. */

const dark = matchMedia('(prefers-color-scheme: dark)')
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', paint)
paint()

// What Swagger UI leaves hard to reach by keyboard or screen reader is mended whenever it has drawn something.
const viewer = document.getElementById('viewer')
/** What stands outside of its `main`. */
const REGIONS = [
  ['.information-container', 'About the API'],
  ['.scheme-container', 'Servers'],
  ['.filter-container', 'Filter'],
]

new MutationObserver(mend).observe(viewer, { childList: true, subtree: true })

function mend() {
  // A link inside a button can be reached by neither; the button does the same.
  for (const link of viewer.querySelectorAll('button a[href]')) link.removeAttribute('href')
  for (const [selector, label] of REGIONS) {
    const region = viewer.querySelector(selector)
    region?.setAttribute('role', 'region')
    region?.setAttribute('aria-label', label)
  }
  for (const tag of viewer.querySelectorAll('h3')) tag.setAttribute('aria-level', '2')
  for (const part of viewer.querySelectorAll('h4, h5')) part.setAttribute('aria-level', '3')
  for (const example of viewer.querySelectorAll('pre.microlight')) example.tabIndex = 0
  for (const choice of viewer.querySelectorAll('tr[data-param-name] select'))
    choice.setAttribute('aria-label', choice.closest('tr').dataset.paramName)
}

window.SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
  // Its list of servers has a label that does not say whose it is.
  onComplete: () => document.getElementById('servers')?.setAttribute('aria-label', 'Server'),
})
