"""The sample case "unstable training".

lab.py      its people, accounts and hosts
story.py    what happened, in order
truth.py    what an honest examination should say, from the story alone
case.py     the case folder: sources, questions, statements and evidence files
"""
