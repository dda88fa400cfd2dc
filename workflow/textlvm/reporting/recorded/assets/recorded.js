"use strict";
// Shows one experiment at a time. Runs before page.js, which scrolls to the target of the address: the target must
// be visible by then. Without scripts, the page shows all experiments one after the other.

{
  const list = document.querySelector("[role=tablist]");
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const panelOf = tab => document.getElementById(tab.getAttribute("aria-controls"));

  const select = chosen => {
    for (const tab of tabs) {
      const shown = tab === chosen;
      tab.setAttribute("aria-selected", shown);
      tab.tabIndex = shown ? 0 : -1;
      panelOf(tab).hidden = !shown;
    }
    // On a narrow window the tabs scroll sideways.
    list.scrollLeft = chosen.offsetLeft - list.clientWidth / 3;
  };

  // Select the experiment that contains the target of the address.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const tab = tabs.find(own => panelOf(own).contains(target));
    if (tab) select(tab);
  };

  const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  list.addEventListener("keydown", event => {
    const place = tabs.indexOf(document.activeElement);
    const next = { Home: 0, End: tabs.length - 1 }[event.key] ?? place + STEPS[event.key];
    if (isNaN(next)) return;
    event.preventDefault();
    const tab = tabs.at(next % tabs.length);
    select(tab);
    tab.focus();
    history.replaceState(null, "", tab.hash);
  });
  for (const tab of tabs) {
    tab.addEventListener("click", event => {
      event.preventDefault();
      event.stopPropagation();
      select(tab);
      history.replaceState(null, "", tab.hash);
    });
  }
  select(tabs[0]);
  follow();
  addEventListener("hashchange", follow);
  document.addEventListener("click", event => { if (event.target.closest("a")?.hash === location.hash) follow(); });
}
