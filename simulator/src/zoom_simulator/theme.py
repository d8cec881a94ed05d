"""Colours, corners and focus of every page. They are those of the gateway's own pages."""

from __future__ import annotations

THEME = """
:root{color-scheme:light dark;--ground:light-dark(#f5f6f8,#14161a);--card:light-dark(#fff,#1e2127);
--ink:light-dark(#1b1d21,#eceef2);--quiet:light-dark(#545b66,#a6adb8);--line:light-dark(#dfe3e9,#343943);
--edge:light-dark(#868d98,#7d8592);--accent:light-dark(#0b57d0,#9ec2ff);--on-accent:light-dark(#fff,#0a2145);
--good:light-dark(#0d652d,#81d89c);--good-ground:light-dark(#e3f4e8,#14321f);
--bad:light-dark(#a50e0e,#ffaca5);--bad-ground:light-dark(#fce8e6,#411613);
--warn:light-dark(#7a4100,#ffc978);--warn-ground:light-dark(#fff1dc,#3a2608)}
*{box-sizing:border-box}
body{margin:0;font-family:system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;background:var(--ground);
color:var(--ink)}
a{color:var(--accent)}small,.quiet{color:var(--quiet);font-size:.875em}
button,input,select,textarea{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);
border-radius:.5rem;max-width:100%}
button{cursor:pointer}button:hover{background:var(--ground)}
button.go{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}
:focus-visible{outline:3px solid light-dark(#b06000,#ffb74d);outline-offset:2px}
"""
