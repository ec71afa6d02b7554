# Forgotten task. No variable has it, so the garbage collector of Python may take it while it waits.
import asyncio
import gc


async def brew():
    answer = asyncio.get_running_loop().create_future()
    print("brewing")
    await answer
    print("the tea is ready")


async def main():
    asyncio.create_task(brew())
    await asyncio.sleep(0.1)
    print(len(asyncio.all_tasks()) - 1, "task beside main")
    gc.collect()
    print(len(asyncio.all_tasks()) - 1, "tasks beside main")


asyncio.run(main())
