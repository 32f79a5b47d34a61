// Marks the current page in the menu, and says how much of the moon is lit. Everything works without it.
for (const link of document.querySelectorAll("nav a")) {
  const here = location.pathname, to = link.getAttribute("href");
  if (to === here || (to !== "/" && here.startsWith(to))) link.setAttribute("aria-current", "page");
}
const synodic = 29.530588853, newMoon = Date.UTC(2000, 0, 6, 18, 14);
const age = (((Date.now() - newMoon) / 864e5) % synodic + synodic) % synodic;
const lit = Math.round((1 - Math.cos((2 * Math.PI * age) / synodic)) * 50);
const names = ["new", "waxing crescent", "first quarter", "waxing gibbous", "full", "waning gibbous", "last quarter", "waning crescent"];
const name = names[Math.round((age / synodic) * 8) % 8];
for (const moon of document.querySelectorAll("[data-moon]")) moon.textContent = `${name}, ${lit} % lit`;
