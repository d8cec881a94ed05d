"""The look of the pages, and their small parts."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from zoom_simulator.theme import THEME

STYLE = (
    THEME
    + """
body{font-size:.9375rem;line-height:1.45}
header{background:var(--card);border-bottom:1px solid var(--line);padding:.7rem 1.4rem;display:flex;gap:.4rem 1.4rem;
align-items:center;flex-wrap:wrap}
header h1{font-size:1.125rem;margin:0}header div{min-width:0;overflow-wrap:anywhere}
header .clock{margin-left:auto;font-variant-numeric:tabular-nums;font-weight:600}
header .controls{display:flex;gap:.3rem .8rem;flex-wrap:wrap;align-items:center;margin:0}
main{padding:1rem 1.4rem 4rem;display:grid;gap:1rem;grid-template-columns:repeat(2,minmax(0,1fr));
align-items:start;max-width:90rem;margin:0 auto}
section{background:var(--card);border:1px solid var(--line);border-radius:.85rem;padding:1rem 1.25rem;min-width:0}
section.wide{grid-column:1/-1}h2{font-size:1.0625rem;margin:0}h3{font-size:.9375rem;margin:1rem 0 .3rem}
.title{display:flex;flex-wrap:wrap;gap:.5rem 1rem;justify-content:space-between;align-items:center;margin-bottom:.6rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.45rem .75rem .45rem 0;vertical-align:top}
th{color:var(--quiet);font-weight:600;border-bottom:1px solid var(--line)}tr+tr td{border-top:1px solid var(--line)}
td{overflow-wrap:anywhere}td time,td.short,.tag{overflow-wrap:normal}
td.short .tag{white-space:nowrap}select{max-width:16rem}td.acts{text-align:right;padding-right:0;min-width:9rem}
td time{font-variant-numeric:tabular-nums;white-space:nowrap}
td small{display:block}code{font:.8125rem ui-monospace,monospace}
form{display:inline-flex;gap:.35rem;flex-wrap:wrap;align-items:center;max-width:100%}
button,input,select,textarea{padding:.25rem .6rem;min-height:2rem}input.s{width:7rem}
td.acts input.s{width:5.5rem}
input[type=checkbox]{min-height:0;accent-color:var(--accent)}
label{display:inline-flex;gap:.35rem;align-items:center;color:var(--quiet)}
.tag{display:inline-block;font-size:.8125rem;padding:.05rem .55rem;border-radius:99px;background:var(--ground);
border:1px solid var(--line)}
.good{background:var(--good-ground);color:var(--good);border-color:transparent}
.bad{background:var(--bad-ground);color:var(--bad);border-color:transparent}
.wait{background:var(--warn-ground);color:var(--warn);border-color:transparent}
.acts form{margin:.1rem 0}.visit{display:flex;gap:.3rem;align-items:center;margin:.1rem 0}
section>form,section>details{margin:.5rem .5rem 0 0}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.who{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis}
.menu{inset:auto;margin:.25rem 0;padding:.4rem;border:1px solid var(--line);border-radius:.75rem;background:var(--card);
color:inherit;box-shadow:0 8px 30px rgb(20 28 45/18%);position-area:block-end span-inline-start;
position-try-fallbacks:flip-block;width:max-content;max-width:min(20rem,90vw)}
@supports not (position-area:block-end){.menu{inset:0;margin:auto}}
.menu form{display:flex}.menu button{flex:1;text-align:left;border-color:transparent}
.menu hr{border:0;border-top:1px solid var(--line);margin:.3rem 0}.menu .row{padding:.3rem .2rem}
.menu .row button{flex:none;border-color:var(--edge)}
.empty{color:var(--quiet);margin:.3rem 0}
.problem{background:var(--bad-ground);color:var(--bad);margin:0;padding:.6rem 1.4rem}
details summary{cursor:pointer;padding:.3rem 0}
@media(max-width:900px){main{grid-template-columns:minmax(0,1fr);padding:1rem .7rem}header{padding:.7rem}
header .clock{margin-left:0}
table,tbody,tr,td{display:block}tr:has(th){display:none}td,td.acts{padding:.1rem 0;text-align:left;white-space:normal}
tr+tr td{border:0}
tr+tr{border-top:1px solid var(--line)}tr{padding:.5rem 0}.who{overflow-wrap:anywhere}}
"""
)
# The page updates itself every two seconds, unless a person types or has a menu open. The focus stays where it was.
SCRIPT = """
const box=document.getElementById('auto'),clock=document.querySelector('header time');
let seen=document.querySelector('main').outerHTML,told=performance.now();
const pad=n=>String(n).padStart(2,'0');
setInterval(()=>{const at=new Date((+clock.dataset.now+(performance.now()-told)/1000*clock.dataset.rate)*1000);
if(!isNaN(at))clock.lastElementChild.textContent=
[at.getUTCHours(),at.getUTCMinutes(),at.getUTCSeconds()].map(pad).join(':')+' UTC';},500);
const place=each=>[each.closest('form')?.getAttribute('action'),each.getAttribute('popovertarget'),each.tagName,
each.textContent].join();
setInterval(async()=>{const active=document.activeElement;
if(!box.checked||document.hidden||document.querySelector(':popover-open')||
active.matches('input:not(#auto),select,textarea'))return;
const answer=await fetch(location.pathname).catch(()=>null);if(!answer?.ok)return;
const fresh=new DOMParser().parseFromString(await answer.text(),'text/html');
const time=fresh.querySelector('header time');
clock.dataset.now=time.dataset.now;clock.dataset.rate=time.dataset.rate;told=performance.now();
clock.firstElementChild.textContent=time.firstElementChild.textContent;
const main=fresh.querySelector('main');if(main.outerHTML===seen)return;
if(document.querySelector(':popover-open')||document.activeElement!==active)return;
seen=main.outerHTML;const old=document.querySelector('main'),was=old.contains(active)&&place(active);
const open=[...old.querySelectorAll('details')].map(each=>each.open);
old.replaceWith(main);[...main.querySelectorAll('details')].forEach((each,at)=>{each.open=!!open[at]});
if(was)[...main.querySelectorAll('button,summary,a')].find(each=>place(each)===was)?.focus();},2000);
"""


def form(action: str, content: str, *, kind: str = "") -> str:
    """A form that posts to the control API."""
    return f'<form method="post" action="{escape(action)}"{f' class="{kind}"' if kind else ""}>{content}</form>'


def hidden(name: str, value: str) -> str:
    """A value that a button carries."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def field(name: str, label: str, *, kind: str = "s", more: str = "") -> str:
    """A line to type into; its label is shown in it, and read out."""
    return f'<input class="{kind}" name="{name}" placeholder="{label}" aria-label="{label}"{more}>'


def columns(*names: str, acts: bool = True) -> str:
    """The heads of a table; the last column has buttons, which its head names for readers only."""
    last = '<th><span class="unseen">Actions</span>' if acts else ""
    return f"<tr>{''.join(f'<th>{name}' for name in names)}{last}</tr>"


def choice(name: str, label: str, options: str) -> str:
    """A choice among `options`, which are markup."""
    return f'<select name="{name}" aria-label="{label}">{options}</select>'


def tag(text: str, kind: str = "") -> str:
    """A state, in colour."""
    return f'<span class="tag {kind}">{text}</span>'


def menu(key: str, label: str, content: str) -> str:
    """A button that opens a small box of other buttons. `key` is an id of the page, `label` says whose they are."""
    return (
        f'<button type="button" popovertarget="{escape(key)}" aria-label="{escape(label)}">&#8943;</button>'
        f'<div popover class="menu" id="{escape(key)}">{content}</div>'
    )


def section(title: str, content: str, *, beside: str = "", wide: bool = False) -> str:
    """A card with a heading, and what stands beside the heading."""
    kind = ' class="wide"' if wide else ""
    return f'<section{kind}><div class="title"><h2>{title}</h2>{beside}</div>{content}</section>'


def at(moment: float, *, now: float) -> str:
    """A moment as a clock reads, with the day where that is not today."""
    then, today = datetime.fromtimestamp(moment, UTC), datetime.fromtimestamp(now, UTC).date()
    day = "" if then.date() == today else f"{then:%-d %b} " if then.year == today.year else f"{then:%-d %b %Y} "
    return f'<time datetime="{then:%Y-%m-%dT%H:%M:%SZ}">{day}{then:%H:%M:%S}</time>'
