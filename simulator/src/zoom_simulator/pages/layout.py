"""How the page looks, and the small parts it is made of."""

from __future__ import annotations

from html import escape

STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{font:14px/1.45 system-ui,sans-serif;margin:0;background:#f3f5fa;color:#1b2333}
header{background:#0b3b8c;color:#fff;padding:.8rem 1.4rem;display:flex;gap:1.4rem;align-items:center;flex-wrap:wrap}
header h1{font-size:1.1rem;margin:0}header form{display:inline-flex;gap:.3rem}header small{opacity:.85}
main{padding:1rem 1.4rem;display:grid;gap:1rem;grid-template-columns:repeat(2,minmax(0,1fr))}
section{background:#fff;border-radius:10px;padding:.8rem 1rem;box-shadow:0 1px 4px #1b233322;min-width:0}
section{overflow-x:auto}
section.wide{grid-column:1/-1}h2{font-size:.95rem;margin:.1rem 0 .6rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.28rem .5rem .28rem 0;vertical-align:top}
th{color:#5b6475;font-weight:600;border-bottom:1px solid #e1e6f0}tr+tr td{border-top:1px solid #eef1f7}
code{font:12px ui-monospace,monospace}form{display:inline-flex;gap:.25rem;flex-wrap:wrap;margin:.1rem 0}
button{font:inherit;font-size:12px;padding:.15rem .5rem;border:1px solid #c6cfdf;border-radius:6px;background:#fff}
button:hover{background:#eaf0ff}button.go{background:#0b5cff;border-color:#0b5cff;color:#fff}
input,select,textarea{font:inherit;font-size:12px;padding:.15rem .35rem;border:1px solid #c6cfdf;border-radius:6px}
input.s{width:5.5rem}.tag{font-size:11px;padding:.05rem .4rem;border-radius:99px;background:#e7ebf3}
.good{background:#d9f4e1}.bad{background:#ffdede}.wait{background:#fff0c9}
td{overflow-wrap:anywhere}td code,td:nth-child(3),td:nth-child(4),.tag{overflow-wrap:normal}
form,input,select,textarea{max-width:100%}
td.people div{display:flex;flex-wrap:wrap;gap:.3rem;align-items:center;margin:.1rem 0}
td.people span.who{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
@media(max-width:900px){main{grid-template-columns:minmax(0,1fr);padding:1rem .7rem}
table,tbody,tr,td{display:block}th{display:none}td{padding:.1rem 0}tr+tr td{border:0}
tr+tr{border-top:1px solid #e1e6f0}tr{padding:.3rem 0}
td code{overflow-wrap:anywhere}td.people span.who{flex-basis:100%;white-space:normal}}
.problem{background:#ffdede;padding:.5rem 1.4rem}
"""
SCRIPT = """
const box=document.getElementById('auto');
setInterval(async()=>{if(!box.checked||document.activeElement.matches('input:not(#auto),select,textarea'))return;
const text=await(await fetch(location.pathname)).text();
const fresh=new DOMParser().parseFromString(text,'text/html');
document.querySelector('main').replaceWith(fresh.querySelector('main'));},2000);
"""


def form(action: str, content: str) -> str:
    """A form that posts to the control API."""
    return f'<form method="post" action="{escape(action)}">{content}</form>'


def hidden(name: str, value: str) -> str:
    """A value that a button carries."""
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def tag(text: str, kind: str = "") -> str:
    """A state, in colour."""
    return f'<span class="tag {kind}">{text}</span>'
