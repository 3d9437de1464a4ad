"""Little words of English that hold a sentence together: they tell no class, whatever they happen to stand beside."""

_WORDS = """
a an the this that these those some any each every either neither both all such no none another other
i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its itself
we us our ours ourselves they them their theirs themselves one ones who whom whose which what
someone somebody something anyone anybody anything everyone everybody everything nobody nothing
about above across after against along among around as at before behind below beneath beside between beyond by
down during except for from in inside into like near of off on onto out outside over past per since through to
toward towards under until up upon via with within without
and but or nor so yet if then than because although though while whereas unless whether
when where why how here there now just also too very only even again ever still
am is are was were be been being have has had having do does did doing done will would shall should can could may
might must ought cannot let
not n't don't doesn't didn't isn't aren't wasn't weren't haven't hasn't hadn't won't wouldn't shan't shouldn't can't
couldn't mustn't ain't im i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's
it'd it'll we're we've we'd we'll they're they've they'd they'll that's there's here's what's who's let's dont cant
wont didnt doesnt isnt aint u ur r n ya yall y'all
"""

FUNCTION_WORDS = frozenset(_WORDS.split())
